/** All verbs, in the groups and the order of the overview. A verb is defined here once; cli/dispatch.ts has its function. */
import { askingVerbs } from './asking-verbs.ts'
import type { VerbDefinition } from './definition.ts'
import { fileVerbs, nodeVerbs, shellVerbs } from './file-verbs.ts'
import { operatorVerbs } from './operator-verbs.ts'
import { servingVerbs } from './serving-verbs.ts'

const groups = {
  Serve: servingVerbs,
  Ask: askingVerbs,
  Daemon: operatorVerbs,
  Node: nodeVerbs,
  Files: fileVerbs,
  Shell: shellVerbs,
} as const

/** The verbs by the heading under which the overview has them. */
export const verbGroups: Readonly<Record<string, readonly VerbDefinition[]>> = groups

export type Verb = (typeof groups)[keyof typeof groups][number]['name']

export const verbs: readonly VerbDefinition<Verb>[] = Object.values(groups).flat()

export function definitionOf(verb: Verb): VerbDefinition<Verb> {
  const found = verbs.find(({ name }) => name === verb)
  if (found === undefined) throw new Error(`no verb ${verb}`)
  return found
}
