/** Which series and labels a PromQL expression asks for, and which the daemon publishes. By patterns: for our own texts, no parser. */
import { documentedFamilies } from '../../docs/all-families.ts'

const prefixes = '(?:coredns|neardns|process|nodejs)_'

/** Names of series, without those of the target itself (`up`, `ALERTS`). */
export function metricsAsked(expression: string): string[] {
  const own = [...expression.matchAll(new RegExp(`\\b${prefixes}\\w+`, 'g'))].map(([name]) => name)
  return /\bup\{/.test(expression) ? [...own, 'up'] : own
}

/** Labels in the braces behind the name. */
export function labelsAsked(expression: string, name: string): string[] {
  return [...expression.matchAll(new RegExp(`\\b${name}\\{([^}]*)\\}`, 'g'))].flatMap(
    ([, inside = '']) =>
      [...inside.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  )
}

/** Labels that a scrape in a cluster adds. */
const targetLabels = ['job', 'node', 'namespace', 'pod', 'instance', 'k8s_app']

/** Series by name, with all labels they can have. */
export function publishedFamilies(): ReadonlyMap<string, ReadonlySet<string>> {
  const published = new Map<string, ReadonlySet<string>>([['up', new Set(targetLabels)]])
  for (const { name, kind, labelNames } of documentedFamilies()) {
    const labels = [...labelNames, ...targetLabels]
    if (kind !== 'histogram') published.set(name, new Set(labels))
    else {
      published.set(`${name}_bucket`, new Set([...labels, 'le']))
      for (const end of ['_sum', '_count']) published.set(`${name}${end}`, new Set(labels))
    }
  }
  return published
}
