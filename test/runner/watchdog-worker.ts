/** The watching thread of watchdog.ts. Writes to the descriptors itself: `console` goes through the blocked thread. */
import { writeSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import type { WatchdogOrder } from './watchdog.ts'

let timer: NodeJS.Timeout | undefined

parentPort?.on('message', (order: WatchdogOrder | undefined) => {
  clearTimeout(timer)
  if (order !== undefined) timer = setTimeout(() => kill(order), order.killInMs)
})

function kill({ label, killInMs, closingLine }: WatchdogOrder): void {
  writeSync(1, `\nFAIL ${label}: blocked the event loop, killed after ${killInMs} ms\n`)
  if (closingLine !== '') writeSync(1, closingLine)
  process.kill(process.pid, 'SIGKILL')
}
