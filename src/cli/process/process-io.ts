/** The streams of this process for its verbs. A reader that goes away (`neardns demo | head`) ends the process without a complaint. */
import type { CliIo } from '../io.ts'

/** @param end ends the process with the code of the verb, as far as that is known */
export function processIo(end: () => void): CliIo {
  return {
    // The reader has seen enough. A short verb may still say its exit code.
    stdout: writer('stdout', () => setImmediate(end)),
    stderr: writer('stderr', () => undefined),
  }
}

/** Opens the stream when something is written: a daemon writes its log past it. */
function writer(name: 'stdout' | 'stderr', onGone: () => void): (text: string) => void {
  let stream: NodeJS.WriteStream | undefined
  return (text) => {
    if (stream === undefined) {
      stream = process[name]
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') throw error
        onGone()
      })
    }
    stream.write(text)
  }
}
