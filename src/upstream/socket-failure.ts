/** What a failed system call means for a question. Retries nothing. */
import type { AttemptFailure } from './counters.ts'

/** @returns what a socket's error means for the question */
export function failureOf(error: NodeJS.ErrnoException): AttemptFailure {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'refused'
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
    case 'ENOMEM':
    case 'EADDRINUSE':
    case 'EADDRNOTAVAIL':
    case 'EAGAIN':
      return 'overloaded'
    case 'ETIMEDOUT':
      return 'connect-timeout'
    default:
      return 'unreachable'
  }
}
