/** Child process of log.test.ts: logs to its stdout in the way its first argument says, and reports on stderr. */
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '../../src/observe/log.ts'

const report = (text: string) => writeSync(2, `${text}\n`)

/** Far more than a pipe and the backlog hold, in slices, while nobody reads; then exits like the daemon does. */
async function flood(): Promise<void> {
  const log = createLog({ level: 'info' })
  let longestMs = 0
  let lastMs = performance.now()
  const timer = setInterval(() => {
    const nowMs = performance.now()
    longestMs = Math.max(longestMs, nowMs - lastMs)
    lastMs = nowMs
  }, 2)
  for (let slice = 0; slice < 100; slice++) {
    for (let n = 0; n < 100; n++) log.info({ pad: 'x'.repeat(300) }, 'flood')
    await sleep(5)
  }
  clearInterval(timer)
  report(`longest ${longestMs.toFixed(1)}`)
  report(`lost ${log.linesLost}`)
  report(`exiting ${Date.now()}`)
  log.flushSync()
  process.exit(3)
}

/** An orderly end. */
async function goodbye(): Promise<void> {
  const log = createLog({ level: 'info' })
  for (let n = 0; n < 2000; n++) log.info({ n }, 'counting')
  await log.flush()
  exit()
}

/** A crash. */
function abrupt(): void {
  const log = createLog({ level: 'info' })
  for (let n = 0; n < 2000; n++) log.info({ n }, 'counting')
  log.flushSync()
  exit()
}

function exit(): never {
  report(`exiting ${Date.now()}`)
  process.exit(3)
}

const modes: Readonly<Record<string, () => Promise<void> | void>> = { flood, goodbye, abrupt }
await modes[process.argv[2] ?? '']?.()
