/** The alerts of manifests/monitoring, as values, and a copy of them that does not wait. Judges nothing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** A Prometheus rule file. */
export interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly AlertRule[] }[]
}

export const monitoring = join(import.meta.dirname, '../../manifests/monitoring')

/** The `spec` of the PrometheusRule. */
export function ownRules(): RuleFile {
  const text = readFileSync(join(monitoring, 'prometheusrule.yaml'), 'utf8')
  return (parse(text) as { spec: RuleFile }).spec
}

/** The alerts that coredns-mixin and nodelocaldns-mixin make, with their default selectors. */
export function mixinRules(): RuleFile {
  return parse(readFileSync(join(import.meta.dirname, 'mixins.yaml'), 'utf8')) as RuleFile
}

export function alertsOf(file: RuleFile): readonly AlertRule[] {
  return file.groups.flatMap(({ rules }) => rules)
}

/** The same expressions, each evaluated every second and firing after one. */
export function impatient(file: RuleFile): object {
  return {
    groups: file.groups.map(({ name, rules }) => ({
      name,
      interval: '1s',
      rules: rules.map((rule) => (rule.for === undefined ? rule : { ...rule, for: '1s' })),
    })),
  }
}
