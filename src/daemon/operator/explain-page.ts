/** The page that tells what a question would get now, and why. */
import { parseType } from '../../core/explain.ts'
import type { Page } from '../../observe/admin-calls.ts'
import type { DataPath } from '../data-path.ts'
import { explainLines, nameAsked } from './explaining.ts'

/** @param rest `NAME/TYPE`, percent-encoded; the type may be left out */
export function explainPage(path: DataPath, rest: string): Page {
  const [text = '', type = 'A', ...more] = rest.split('/').map(decoded)
  const name = nameAsked(text)
  const qtype = parseType(type)
  if (name === undefined || qtype === undefined || more.length > 0) {
    return {
      status: 400,
      body: 'Expected /explain/NAME or /explain/NAME/TYPE, as /explain/www.example.com/AAAA.\n',
    }
  }
  const lines = explainLines(path, name, qtype)
  return { status: 200, body: `${lines.join('\n')}\n` }
}

/** A broken escape is no name. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return '..'
  }
}
