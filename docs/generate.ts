/**
 * Writes what follows from the source: docs/configuration.md, docs/metrics.md, the numbers of README.md, docs/neardns.schema.json, the man page docs/neardns.1 and the dashboard
 * of manifests/monitoring; and docs/interoperability.md from its recorded results. `--check` writes nothing and exits with 1 when a file is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { manPage } from '../src/cli/command-line/man-page.ts'
import { settingFlags } from '../src/cli/command-line/serving-verbs.ts'
import { verbGroups } from '../src/cli/command-line/verbs.ts'
import { version } from '../src/cli/version.ts'
import { configJsonSchema } from '../src/config/schema.ts'
import type { JsonSchema } from '../src/config/setting.ts'
import { interoperabilityPage, type Results } from '../test/real/resolvers/page.ts'
import { configurationMarkdown } from './configuration-markdown.ts'
import { classicDashboard } from './dashboard/classic.ts'
import { dashboardResource } from './dashboard/v2.ts'
import { metricsMarkdown } from './generate-metrics.ts'
import { withNumbers } from './readme-numbers.ts'

export interface GeneratedFile {
  readonly name: string
  readonly content: string
}

/** The files as they have to be. */
export function generatedFiles(): readonly GeneratedFile[] {
  const schema = configJsonSchema()
  return [
    { name: 'configuration.md', content: configurationMarkdown(schema, settingFlags) },
    { name: 'metrics.md', content: metricsMarkdown() },
    { name: 'interoperability.md', content: interoperability() },
    { name: 'neardns.1', content: manPage(verbGroups, version()) },
    { name: 'neardns.schema.json', content: schemaText(schema) },
    {
      name: '../README.md',
      content: withNumbers(onDisk('../README.md') ?? '', onDisk('performance.md') ?? ''),
    },
    { name: '../manifests/monitoring/dashboard.json', content: jsonText(classicDashboard()) },
    { name: '../manifests/monitoring/dashboard-v2.json', content: jsonText(dashboardResource()) },
  ]
}

/** @returns names of the files whose content on disk differs */
export function staleFiles(): readonly string[] {
  return generatedFiles()
    .filter(({ name, content }) => onDisk(name) !== content)
    .map(({ name }) => name)
}

/** From what `npm run test:resolvers` has recorded; nothing is run here. */
function interoperability(): string {
  const results = JSON.parse(onDisk('interoperability.json') ?? '') as Results
  return interoperabilityPage(results)
}

function schemaText(schema: JsonSchema): string {
  return jsonText({ title: 'neardns configuration', ...schema })
}

function jsonText(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

function pathOf(name: string): URL {
  return new URL(name, import.meta.url)
}

function onDisk(name: string): string | undefined {
  try {
    return readFileSync(pathOf(name), 'utf8')
  } catch {
    return undefined
  }
}

function main(argv: readonly string[]): void {
  if (argv.includes('--check')) {
    for (const name of staleFiles()) {
      console.error(`docs/${name} is stale; run: npm run docs`)
      process.exitCode = 1
    }
    return
  }
  for (const { name, content } of generatedFiles()) writeFileSync(pathOf(name), content)
}

if (import.meta.main) main(process.argv.slice(2))
