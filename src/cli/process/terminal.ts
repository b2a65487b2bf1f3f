/** Whether a person reads standard output. */
import { isatty } from 'node:tty'

/** @returns undefined when standard output is no terminal */
export function outputTerminal(): { readonly isColoured: boolean } | undefined {
  // Asked of the descriptor: to make the stream would cost a daemon memory.
  return isatty(1) ? { isColoured: process.stdout.hasColors() } : undefined
}
