/** A decoded DNS message as plain data, for programs. Record texts are those that people see (answer-text.ts). */
import { dottedName, type Message, presentRecordType, recordLine } from '../wire/record-text.ts'
import { extendedErrors, flagNames, rcodeOf } from './answer-text.ts'

export function answerJson(message: Message) {
  const { questions, answers, authorities, additionals } = message
  const texts = (records: typeof answers) =>
    (records ?? []).filter((record) => record.type !== 'OPT').map(recordLine)
  return {
    rcode: rcodeOf(message),
    flags: flagNames(message),
    questions: (questions ?? []).map(({ name, type }) => ({
      name: dottedName(name),
      type: presentRecordType(type),
    })),
    answer: texts(answers),
    authority: texts(authorities),
    additional: texts(additionals),
    extendedErrors: extendedErrors(message),
  }
}
