/**
 * The streams of this process for its verbs. A reader that goes away (`neardns demo | head`) ends the process without a complaint, a full
 * disk with one line.
 */
import { type CliIo, ExitCode } from '../io.ts'

/** @param end ends the process, with the code of the verb, as far as that is known, unless another is given */
export function processIo(end: (code?: number) => void): CliIo {
  const stderr = writer('stderr', () => undefined)
  return {
    stdout: writer('stdout', ({ code, message }) => {
      // The reader has seen enough. A short verb may still say its exit code.
      if (code === 'EPIPE') return void setImmediate(end)
      stderr(`neardns: cannot write to standard output: ${message}\n`)
      end(ExitCode.failed)
    }),
    stderr,
  }
}

/** Opens the stream when something is written: a daemon writes its log past it. */
function writer(
  name: 'stdout' | 'stderr',
  onError: (error: NodeJS.ErrnoException) => void,
): (text: string | Buffer) => void {
  let stream: NodeJS.WriteStream | undefined
  return (text) => {
    if (stream === undefined) {
      stream = process[name]
      stream.on('error', onError)
    }
    stream.write(text)
  }
}
