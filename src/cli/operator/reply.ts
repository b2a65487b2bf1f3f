/** Prints what a daemon returned, as JSON or in words, and says which workers did not answer. */
import { type CliIo, ExitCode } from '../io.ts'
import { type AdminReply, reportRefusal } from './admin-client.ts'

/** @param print returns the exit code. @returns the exit code; a worker that did not answer is a failure */
export function readReply<T>(
  reply: AdminReply,
  isJson: boolean,
  io: CliIo,
  print: (value: T) => number,
): number {
  if (!reply.ok) return reportRefusal(io, reply)
  // Of a daemon of this version, or one that has only more in it.
  const value = JSON.parse(reply.body.toString()) as T & { readonly missing?: number }
  let code: number = ExitCode.ok
  if (isJson) io.stdout(`${JSON.stringify(value, undefined, 2)}\n`)
  else code = print(value)
  const { missing = 0 } = value
  if (missing === 0) return code
  io.stderr(`neardns: ${missing} of the workers did not answer; what they hold is unknown\n`)
  return ExitCode.failed
}

/** Time of day, with milliseconds, in the zone of the terminal. */
export function localTime(atMs: number): string {
  const at = new Date(atMs)
  const two = (value: number) => String(value).padStart(2, '0')
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')
  return `${time}.${String(at.getMilliseconds()).padStart(3, '0')}`
}
