/** What `--help` prints: an overview, and a page for each verb. Each fits a screen of 24 lines and 80 columns. */
import { type FlagDefinition, usageText, type VerbDefinition } from './definition.ts'
import { verbGroups } from './verbs.ts'
import { wrap } from './wrap.ts'

/** Width of a terminal without settings. */
const columns = 80
const exitsUsual = '0 fine, 1 failed, 2 wrong command line or configuration'

export function overview(): string {
  const rows = Object.entries(verbGroups).flatMap(([group, verbs]) =>
    verbs.map(({ name, what }, index) => {
      const heading = index === 0 ? group : ''
      return `  ${heading.padEnd(7)}${name.padEnd(11)} ${what}\n`
    }),
  )
  return `neardns - DNS cache for the node it runs on

${rows.join('')}
neardns VERB --help says more; neardns --version. Exit codes: 0 fine, 1 failed,
2 wrong command line or configuration. Try: neardns demo, then
dig @127.0.0.1 -p 5353 example.com
`
}

export function verbHelp(verb: VerbDefinition): string {
  const parts = [sentence(verb.what), ...(verb.about ?? [])].map((part) => wrap(part, columns))
  const actions = verb.words.flatMap(({ choices = {} }) => Object.entries(choices))
  const flags = Object.entries(verb.flags).map(
    ([name, flag]) => [flagText(name, flag), flagMeaning(flag)] as const,
  )
  return [
    `${usageText(verb)}\n\n`,
    ...parts,
    ...(actions.length > 0 ? ['\n', table(actions)] : []),
    ...(flags.length > 0 ? ['\nFlags:\n', table(flags)] : []),
    '\n',
    ...verb.examples.map((line) => `  neardns ${line}\n`),
    `\nExit codes: ${verb.exits ?? exitsUsual}.\n`,
  ].join('')
}

/** @returns for example `--server IP:PORT` */
export function flagText(name: string, { value }: FlagDefinition): string {
  return value === undefined ? name : `${name} ${value}`
}

/** @returns for example `address to serve; repeats [127.0.0.1:5353]` */
export function flagMeaning({ what, repeats, otherwise }: FlagDefinition): string {
  const note = repeats === true ? '; repeats' : ''
  return `${what}${note}${otherwise === undefined ? '' : ` [${otherwise}]`}`
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}\n`).join('')
}
