/** Prints what a daemon returned, as JSON or in words, and says which workers did not answer. */
import { type CliIo, ExitCode } from '../io.ts'
import { type AdminReply, reportRefusal } from './admin-client.ts'
import { hasForm } from './forms.ts'

export type ReadReply<T> = { readonly ok: true; readonly value: T } | Refused
type Refused = Extract<AdminReply, { ok: false }>

/** What is said of a reply that no daemon of this version makes. */
export const notOurs: Refused = {
  ok: false,
  why: 'the reply is none of a neardns of this version; is it older, or does another program have this address?',
  isMisuse: false,
}

/**
 * Takes the value of a daemon of this version, or of one that has only more in it. Another program may answer in its place.
 * @param form of `forms`
 */
export function valueIn<T extends object>(reply: AdminReply, form: T): ReadReply<T> {
  if (!reply.ok) return reply
  try {
    const value: unknown = JSON.parse(reply.body.toString())
    if (hasForm(value, form)) return { ok: true, value: value as T }
  } catch {
    // A page for people, perhaps.
  }
  return notOurs
}

interface Printing<T> {
  readonly form: T
  readonly isJson: boolean
  readonly io: CliIo
}

/** @param print returns the exit code. @returns the exit code; a worker that did not answer is a failure */
export function readReply<T extends object>(
  reply: AdminReply,
  { form, isJson, io }: Printing<T>,
  print: (value: T) => number,
): number {
  const read = valueIn<T & { readonly missing?: number }>(reply, form)
  if (!read.ok) return reportRefusal(io, read)
  const { value } = read
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

/** A client by its pod, where that is known. */
export function clientText({ client, pod }: { client: string; pod?: string | undefined }): string {
  return pod === undefined ? client : `${pod} (${client})`
}
