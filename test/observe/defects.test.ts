/** Goal: a defect on every packet does not flood the log. Method: a log that collects, with a clock of the test's own. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defectLogger } from '../../src/observe/defects.ts'
import { createLog, type LogFields } from '../../src/observe/log.ts'

const test = suite('observe/defects')

test('one defect a second is logged, with the number of those held back', () => {
  let nowMs = 0
  const lines: LogFields[] = []
  const log = createLog({ level: 'silent', nowMs: () => nowMs })
  log.error = (fields) => lines.push(fields)
  const logDefect = defectLogger(log)
  const errors = [0, 1, 2, 3].map((n) => new Error(String(n)))
  logDefect(errors[0])
  logDefect(errors[1])
  nowMs = 999
  logDefect(errors[2])
  nowMs = 1000
  logDefect(errors[3])
  assert.equal(
    lines.map(({ err, heldBack }) => [err, heldBack]),
    [
      [errors[0], 0],
      [errors[3], 2],
    ],
  )
})

test.run()
