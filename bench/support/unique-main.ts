/** Names that never come again, at a rate, as a process of its own: `unique-main.ts PORT PER_SECOND SECONDS`. One JSON line. */
import { NameSource } from './flood.ts'
import { SteadyClient } from './steady-client.ts'

const [port = 0, perSecond = 0, seconds = 0] = process.argv.slice(2).map(Number)
const names = new NameSource()
const client = await SteadyClient.open('127.1.0.9', port, () => names.next())
await client.run(perSecond, seconds * 1000)
client.close()
process.stdout.write(`${JSON.stringify(client.counts)}\n`)
