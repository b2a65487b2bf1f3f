/** The call that tells as values what a question would get now, and why. */
import { parseType } from '../../core/explain.ts'
import { type AdminCall, type CallRequest, errorPage, jsonPage } from '../../observe/admin-calls.ts'
import type { DataPath } from '../data-path.ts'
import { explainedView, nameAsked } from './explaining.ts'

const known: ReadonlySet<string> = new Set(['name', 'type'])

export function explainCall(path: DataPath): AdminCall {
  return {
    method: 'GET',
    path: '/v1/explain',
    answer: ({ params }: CallRequest) => {
      const unknown = [...params.keys()].find((key) => !known.has(key))
      if (unknown !== undefined)
        return errorPage(400, `unknown parameter ${JSON.stringify(unknown)}`)
      const [text, type] = [params.get('name') ?? '', params.get('type') ?? 'A']
      const name = nameAsked(text)
      if (name === undefined)
        return errorPage(400, `name is ${JSON.stringify(text)}; expected a domain name`)
      const qtype = parseType(type)
      if (qtype === undefined)
        return errorPage(
          400,
          `type is ${JSON.stringify(type)}; expected a record type such as AAAA, or TYPE65`,
        )
      return jsonPage(explainedView(path, name, qtype))
    },
  }
}
