/**
 * Environment variables in the words of a Corefile: `{%NAME%}` first, then `{$NAME}`, each as often as it stands there. A variable that is
 * not set is empty, a value is not split into words, and a reference in a value is followed as well. Facts: replaceEnvVars
 * of github.com/coredns/caddy v1.1.4.
 */

/** @returns the value of a variable; undefined when it is not set */
export type Environment = (name: string) => string | undefined

/** A value that refers to itself would grow without end; CoreDNS hangs then. */
const replacementsMax = 100
const charactersMax = 65_536

export function expandEnvironment(text: string, environment: Environment): string {
  const windows = expand(text, environment, { start: '{%', end: '%}' })
  return expand(windows, environment, { start: '{$', end: '}' })
}

interface Reference {
  readonly start: string
  readonly end: string
}

function expand(text: string, environment: Environment, { start, end }: Reference): string {
  let result = text
  for (let i = 0; i < replacementsMax; i++) {
    const at = result.indexOf(start)
    const to = at < 0 ? -1 : result.indexOf(end, at)
    // CoreDNS leaves `{$}` and all that follows it.
    if (to <= at + start.length || result.length > charactersMax) return result
    const name = result.slice(at + start.length, to)
    result = result.replaceAll(`${start}${name}${end}`, () => environment(name) ?? '')
  }
  return result
}
