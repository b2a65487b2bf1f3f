/**
 * Goal: every alert says what a person called at night needs, asks for what the daemon publishes, and fires when it should and not
 * otherwise. Method: the rule file as a value, beside the metric definitions and the runbooks; promtool's unit tests.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse, parseAllDocuments } from 'yaml'
import { schemaMistakes } from '../support/kubernetes-schema.ts'
import { needs } from '../support/needs.ts'
import { mustRun, runToEnd } from '../support/process.ts'
import { labelsAsked, metricsAsked, publishedFamilies } from './expressions.ts'
import { alertsOf, mixinRules, monitoring, ownRules } from './rules.ts'

const test = suite('watch/rules')

const root = join(import.meta.dirname, '../..')
const runbooks = readFileSync(join(root, 'docs/runbooks.md'), 'utf8')
const cases = readFileSync(join(import.meta.dirname, 'rules.promtool.yaml'), 'utf8')
const own = alertsOf(ownRules())
/** Where the repository is to be found; one place to change for a fork. */
const runbookBase = 'https://github.com/neardns/neardns/blob/main/docs/runbooks.md'

const files = [
  'service.yaml',
  'servicemonitor.yaml',
  'prometheusrule.yaml',
  'podmonitor/podmonitor.yaml',
]

test('each manifest passes the schema of Kubernetes or of the Prometheus operator', () => {
  for (const file of files) {
    for (const document of parseAllDocuments(readFileSync(join(monitoring, file), 'utf8'))) {
      assert.equal(document.errors.map(String), [], file)
      assert.equal(schemaMistakes(document.toJS()), [], file)
    }
  }
})

test('the kustomization names every file beside it', () => {
  type Kustomization = { resources: string[]; configMapGenerator: { files: string[] }[] }
  const { resources, configMapGenerator } = manifest<Kustomization>('kustomization.yaml')
  const generated = configMapGenerator
    .flatMap(({ files: list }) => list)
    .map((one) => one.split('=')[1])
  const beside = readdirSync(monitoring).filter((name) => name.includes('.'))
  // Grafana's API takes the second form, no ConfigMap does.
  const elsewhere = ['kustomization.yaml', 'dashboard-v2.json']
  assert.equal([...resources, ...generated, ...elsewhere].sort(), beside.sort())
})

test('the ServiceMonitor selects the metrics Service and nothing else', () => {
  type Labelled = { metadata: { labels: Record<string, string> } }
  const service = manifest<Labelled & { spec: { ports: { name: string }[] } }>('service.yaml')
  const monitor = manifest<{
    spec: { selector: { matchLabels: Record<string, string> }; endpoints: { port: string }[] }
  }>('servicemonitor.yaml')
  assert.equal(monitor.spec.selector.matchLabels, service.metadata.labels)
  assert.equal(
    monitor.spec.endpoints.map(({ port }) => port),
    service.spec.ports.map(({ name }) => name),
  )
})

test('ServiceMonitor and PodMonitor give the labels that rules and dashboard select', () => {
  type Relabeling = { targetLabel?: string; replacement?: string }
  type Endpoint = { relabelings: Relabeling[] }
  const { endpoints } = manifest<{ spec: { endpoints: Endpoint[] } }>('servicemonitor.yaml').spec
  const { podMetricsEndpoints } = manifest<{ spec: { podMetricsEndpoints: Endpoint[] } }>(
    'podmonitor/podmonitor.yaml',
  ).spec
  for (const endpoint of [...endpoints, ...podMetricsEndpoints]) {
    const given = new Map(endpoint.relabelings.map((one) => [one.targetLabel, one.replacement]))
    assert.is(given.get('job'), 'neardns')
    assert.is(given.get('k8s_app'), 'node-local-dns')
    assert.ok(given.has('node'))
  }
})

test('each alert has severity, summary, description and its runbook', () => {
  for (const { alert, labels, annotations } of own) {
    assert.ok(['critical', 'warning'].includes(labels['severity'] ?? ''), alert)
    assert.equal(Object.keys(annotations).sort(), ['description', 'runbook_url', 'summary'], alert)
    assert.is(annotations['runbook_url'], `${runbookBase}#${alert.toLowerCase()}`)
    assert.match(annotations['summary'] ?? '', /\.$/, alert)
  }
})

test('each alert has a section in the runbooks, and each section an alert', () => {
  const sections = [...runbooks.matchAll(/^### (\w+)$/gm)].map((match) => match[1])
  assert.equal(
    sections,
    own.map(({ alert }) => alert),
  )
  for (const { alert } of alertsOf(mixinRules()))
    assert.ok(runbooks.includes(`\`${alert}\``), alert)
})

test('each section says what it means and what to do', () => {
  for (const section of runbooks.split(/^### /m).slice(1)) {
    const [title] = section.split('\n', 1)
    const text = section.split(/^## /m)[0] ?? ''
    for (const part of ['**Means.**', '**Look.**', '**Do.**']) {
      assert.ok(text.includes(part), `${title}: ${part}`)
    }
  }
})

test('every series and label that an alert asks for is published', () => {
  const published = publishedFamilies()
  for (const { alert, expr } of [...own, ...alertsOf(mixinRules())]) {
    const asked = metricsAsked(expr)
    assert.ok(asked.length > 0, alert)
    for (const name of asked) {
      assert.ok(published.has(name), `${alert}: ${name}`)
      const wrong = labelsAsked(expr, name).filter((label) => !published.get(name)?.has(label))
      assert.equal(wrong, [], `${alert}: ${name}`)
    }
  }
})

test('each alert has a case that fires and one that does not', () => {
  type Case = { name: string; promql_expr_test: { expr: string; exp_samples: unknown[] }[] }
  const { tests } = parse(cases) as { tests: Case[] }
  for (const { alert } of own) {
    const checks = tests
      .filter(({ name }) => name === alert)
      .flatMap(({ promql_expr_test }) => promql_expr_test)
    assert.ok(
      checks.every(({ expr }) => expr.includes(`alertname="${alert}"`)),
      alert,
    )
    assert.ok(
      checks.some(({ exp_samples }) => exp_samples.length > 0),
      `${alert} never fires`,
    )
    assert.ok(
      checks.some(({ exp_samples }) => exp_samples.length === 0),
      `${alert} always fires`,
    )
  }
  assert.equal(new Set(tests.map(({ name }) => name)), new Set(own.map(({ alert }) => alert)))
})

if (needs('promtool')) {
  test('promtool finds the rules of ours and of the mixins in order', () =>
    inDirectory(async (directory) => {
      writeFileSync(join(directory, 'mixins.json'), JSON.stringify(mixinRules()))
      for (const file of ['rules.json', 'mixins.json']) {
        await mustRun('promtool', ['check', 'rules', '--lint=none', join(directory, file)])
      }
    }))

  test('promtool: each alert fires in its time, and not below its bound', () =>
    inDirectory(async (directory) => {
      const { code, output } = await runCases(directory, cases)
      assert.is(code, 0, output)
    }))

  test('promtool notices a rule that fires too early', () =>
    inDirectory(async (directory) => {
      const hasty = JSON.stringify(ownRules()).replaceAll('"for":"5m"', '"for":"1m"')
      writeFileSync(join(directory, 'rules.json'), hasty)
      const { code, output } = await runCases(directory, cases)
      assert.is(code, 1, output)
    }))
}

async function runCases(directory: string, text: string) {
  const file = join(directory, 'cases.yaml')
  writeFileSync(file, text)
  return await runToEnd('promtool', ['test', 'rules', file], { timeoutMs: 60_000 })
}

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'neardns-rules-'))
  try {
    writeFileSync(join(directory, 'rules.json'), JSON.stringify(ownRules()))
    await body(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function manifest<T>(file: string): T {
  return parse(readFileSync(join(monitoring, file), 'utf8')) as T
}

test.run()
