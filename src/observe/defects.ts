/** Logs exceptions that were caught where none should be: once a second at most, with how many were held back. */
import type { Log } from './log.ts'

export function defectLogger(log: Log): (error: unknown) => void {
  return (error) => {
    const heldBack = log.limited('defect', 1000)
    if (heldBack !== undefined)
      log.error({ err: error, heldBack }, 'defect: an exception was caught')
  }
}
