/** Logs exceptions that only a defect can throw: at most one line a second, with the number of lines held back. Counts nothing. */
import type { Log } from './log.ts'

export function defectLogger(log: Log): (error: unknown) => void {
  return (error) => {
    const heldBack = log.limited('defect', 1000)
    if (heldBack !== undefined)
      log.error({ err: error, heldBack }, 'defect: an exception was caught')
  }
}
