// Looks up each argument with Node's dns.lookup; prints "NAME ADDRESS..." or "NAME error CODE" per line.
import { lookup } from 'node:dns/promises'

for (const name of process.argv.slice(2)) {
  const line = await lookup(name, { all: true }).then(
    (found) => found.map(({ address }) => address).join(' '),
    (error) => `error ${error.code}`,
  )
  console.log(name, line)
}
