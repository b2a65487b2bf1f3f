/** A mistake in the configuration, as shown to its author. Light: nothing here loads the schema. */

/** Keys and list positions from the root of the configuration. */
export type Path = readonly (string | number)[]

/** Where values came from, by the path of a setting as `cache.bytesMax`; what is not in it has its default. */
export type Origins = Readonly<Record<string, string>>

export interface Problem {
  /** `neardns.yaml:3:15`, or the flag with its value. */
  readonly where: string
  /** Setting in dotted form; empty when the complaint is about the file or a flag. */
  readonly path: string
  /** What was wrong, then what would be right. */
  readonly message: string
}

/** One line: `file:line:column: path: message`, or `--flag VALUE: message`. */
export function formatProblem(problem: Problem): string {
  const { where, path, message } = problem
  return visible([where, path, message].filter((part) => part !== '').join(': '))
}

/**
 * A file's own text may stand in the line, as the name of a setting; it must not steer the terminal that shows it. Controls and
 * invisible format characters (Unicode Cc, Cf) become `\u{1b}`.
 */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`)
}

/** `zones[0].upstreams[1]`. */
export function pathText(path: Path): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${part}`))
    .join('')
}
