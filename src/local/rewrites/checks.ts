/** Rules between the settings of one rewrite. */
import { at, items } from '../../config/partial.ts'
import type { Path } from '../../config/problem.ts'
import type { Issue } from '../../config/setting.ts'

export function rewriteIssues(config: unknown): Issue[] {
  return items(config, ['rewrites']).flatMap(({ path, value }) => issuesOf(path, value))
}

function issuesOf(path: Path, rule: unknown): Issue[] {
  if (typeof rule !== 'object' || rule === null) return []
  const has = (key: string) => (at(rule, [key]) ?? null) !== null
  const issue = (key: string, message: string, because: readonly string[]): Issue => ({
    path: [...path, key],
    message,
    because: because.map((one) => [...path, one]),
  })
  const answers = items(rule, ['answer'])
  if (has('to') && !has('from'))
    return [issue('to', 'there is no `from`, in whose place it could stand; add it', ['from'])]
  if (answers.length > 0 && !has('to'))
    return [issue('answer', 'there is no `to`; answers of names that stay are not changed', ['to'])]
  const kinds = answers.map(({ value }) => at(value, ['kind']))
  if (kinds.includes('auto') && kinds.includes('name'))
    return [issue('answer', 'auto and name both replace owners; keep one of them', [])]
  const effects = ['to', 'type', 'class', 'ttl', 'rcode']
  if (effects.some(has)) return []
  return [
    { path, message: `it changes nothing; add ${effects.join(', ')}`, because: [[...path, 'to']] },
  ]
}
