/** `neardns explain NAME [TYPE]`: asks a running daemon how it would answer a question now, and on what evidence. */
import { readArguments } from './command-line/arguments.ts'
import { type CliIo, ExitCode, usageError } from './io.ts'
import { askAdmin, readPlace, reportRefusal } from './operator/admin-client.ts'
import { parseRecordType } from './record-type.ts'
import { bothForms, readTypedName } from './typed-name.ts'

export async function explain(argv: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments('explain', argv)
  if (!read.ok) return usageError(io, read.why)
  const [name = '', type = 'A'] = read.words
  const known = parseRecordType(type)
  if (!known.ok) return usageError(io, known.why)
  const found = readPlace(read.flag('--admin'), read.flag('--token-file'))
  if (!found.ok) return reportRefusal(io, found)
  const typed = readTypedName(name)
  if (!typed.ok) return usageError(io, typed.why)
  const path = `/explain/${encodeURIComponent(typed.value.ascii)}/${encodeURIComponent(type)}`
  const reply = await askAdmin(found.place, { path })
  if (!reply.ok) return reportRefusal(io, reply)
  io.stdout(reply.body.toString() + bothForms(typed.value))
  return ExitCode.ok
}
