/**
 * The suites of interception against every kube-proxy: version x mode x suite, one after another, and the table of
 * docs/kubernetes.md from what came out. Needs what .ci/run brings, and kube-proxy of the older releases (npm run cluster:build -- proxies).
 *
 *   npm run test:cluster-matrix -- [--versions 1.36.3,1.37.2] [--modes nftables,iptables-nft]
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { kubernetesProgram } from '../../support/needs.ts'
import { runToEnd } from '../../support/process.ts'
import { realProxyModes } from '../../support/world/real-kube-proxy.ts'
import { kubeProxyVersions } from '../build/versions.ts'
import { type MatrixRow, type Outcome, outcomeText, withRows } from './matrix-table.ts'

/** Heading in the table: part of the path of the file. */
const suites: Readonly<Record<string, string>> = {
  interception: 'real/interception.test',
  faults: 'real/interception-faults',
  upgrade: 'real/interception-upgrade',
  'rules and standby': 'real/interception-kube-proxy',
}
const suiteTimeoutMs = 30 * 60_000

const root = join(import.meta.dirname, '../../..')
const document = join(root, 'docs', 'kubernetes.md')

const { values } = parseArgs({
  options: { versions: { type: 'string' }, modes: { type: 'string' } },
})
const versions = values.versions?.split(',') ?? kubeProxyVersions
const modes = values.modes?.split(',') ?? realProxyModes

let failures = 0
for (const version of versions) {
  for (const mode of modes) writeRow(await rowOf(version, mode))
}
console.log(failures === 0 ? 'nothing failed' : `${failures} failed`)
process.exitCode = failures === 0 ? 0 : 1

async function rowOf(version: string, mode: string): Promise<MatrixRow> {
  const cells: Record<string, string> = {}
  for (const [heading, path] of Object.entries(suites)) {
    if (!existsSync(kubernetesProgram('kube-proxy', version))) {
      cells[heading] = 'not built'
      continue
    }
    const outcome = await runSuite(path, { version, mode })
    failures += outcome.failed
    cells[heading] = outcomeText(outcome)
    console.log(`kube-proxy ${version}, ${mode}, ${heading}: ${cells[heading]}`)
  }
  return { version, mode, cells }
}

async function runSuite(
  path: string,
  { version, mode }: { readonly version: string; readonly mode: string },
): Promise<Outcome> {
  const env = { NEARDNS_KUBE_PROXY_VERSION: version, NEARDNS_KUBE_PROXY_MODE: mode }
  const args = [join(root, 'test', 'run.ts'), '--timeout', '180000', path]
  const ran = await runToEnd(process.execPath, args, { env, cwd: root, timeoutMs: suiteTimeoutMs })
  const lines = ran.output.split('\n').filter((line) => /^(FAIL|skipped| {2}\S.*gap)/.test(line))
  for (const line of lines) console.log(`  ${line.trim()}`)
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(ran.output) ?? []
  return { passed: Number(passed ?? 0), failed: Number(failed ?? 1) }
}

/** After each row, so that a run that is broken off has told what it knows. */
function writeRow(row: MatrixRow): void {
  const text = readFileSync(document, 'utf8')
  writeFileSync(document, withRows(text, Object.keys(suites), [row]))
}
