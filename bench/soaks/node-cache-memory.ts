/**
 * Is the memory limit of a NodeLocal DNSCache's manifest kept? neardns in the place of node-cache, in a cgroup of each limit: 150,000 names that never come
 * twice at 4,000 a second. And what happens below the least. Prints a table; needs root, for the cgroup.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../test/support/free-port.ts'
import { startAuthority } from '../comparison/field.ts'
import { load } from '../support/load.ts'
import { type Asked, writeQueries } from '../support/query-mix.ts'
import { endOnSignals, exitWith } from '../support/record.ts'
import { readProcess } from '../support/scrape.ts'
import { builtMain, inCgroup, onCpu, startWrapped } from '../support/servers.ts'
import { makeMemoryCgroup } from './memory-cgroup.ts'
import { loadCpu, serverCpu, ttlMaxSeconds } from './rig.ts'

const mebibyte = 1_048_576
const [names, queriesPerSecond] = [150_000, 4000]
const limitsMiB = [30, 64, 100, 128, 200]

/** The generator makes these names new each time: half of them exist, half are outside the cluster. */
const asked: readonly Asked[] = ['team-1.svc.cluster.local', 'flood.test'].flatMap((zone) =>
  ['u00000000', 'no-u00000000'].map((label) => ({ name: `${label}.${zone}`, type: 'A' as const })),
)

interface Outcome {
  readonly text: string
  readonly isGood: boolean
}

/** In the manner of the manifests, on loopback and in the pod network's way: what is measured is memory. */
async function startNodeCache(upstreamPort: number, procsFile: string, directory: string) {
  const [port, admin] = [await freePort(), await freePort()]
  const conf = join(directory, 'Corefile')
  const block = (zone: string, cache: string, more: string) =>
    `${zone}:${port} {\n errors\n ${cache}\n reload\n loop\n bind 127.0.0.1\n forward . 127.0.0.1:${upstreamPort}${more}\n prometheus 127.0.0.1:${admin}\n}\n`
  const capped = 'cache {\n  success 9984 30\n  denial 9984 5\n }'
  const cluster = block('cluster.local', capped, ' {\n  force_tcp\n }')
  writeFileSync(conf, cluster + block('.', 'cache 30', ''))
  const args = ['-localip', '127.0.0.1', '-conf', conf, '-p', String(port)]
  const alone = ['-setupinterface=false', '-setupiptables=false', '-metrics-listen-address', '']
  const wrapper = [...inCgroup(procsFile), ...onCpu(serverCpu)]
  const main = await builtMain()
  return { port, child: startWrapped(wrapper, process.execPath, [main, ...args, ...alone]) }
}

async function under(limitMiB: number, directory: string): Promise<Outcome> {
  const cgroup = makeMemoryCgroup(`neardns-limit-${process.pid}-${limitMiB}`, limitMiB * mebibyte)
  const authority = await startAuthority({ loadCpu, ttlMaxSeconds })
  const { port, child } = await startNodeCache(authority.port, cgroup.procsFile, directory)
  try {
    const isServing = child.line((line) => line.includes('"msg":"ready"'), 30_000).then(() => true)
    const exit = child.exited.then(({ code }) => code)
    const first = await Promise.race([isServing, exit])
    if (first !== true) {
      return { text: `ends with code ${first}: ${child.lines.at(-1)}`, isGood: first === 2 }
    }
    const queryFile = join(directory, 'queries')
    writeQueries(queryFile, asked, 1)
    const seconds = names / queriesPerSecond
    const report = await load({ port, cpu: loadCpu, queryFile, seconds, rate: queriesPerSecond })
    for (const example of report.examples) process.stderr.write(`${example}\n`)
    const { oomKills, usageMaxBytes, anonBytes } = cgroup.read()
    const { rssBytes } = readProcess(child.pid)
    const mib = (bytes: number) => `${Math.round(bytes / mebibyte)} MiB`
    const { sent, lost, servfail, wrong, p50Us, p99Us } = report
    return {
      text: `${sent} sent, ${lost} lost, ${servfail} SERVFAIL, ${wrong} wrong, ${oomKills} OOM kills, p50 ${p50Us} us, p99 ${p99Us} us; at most ${mib(usageMaxBytes)} charged, at the end ${mib(anonBytes)} anonymous, ${mib(rssBytes)} resident`,
      isGood: oomKills + lost + servfail + wrong === 0,
    }
  } finally {
    await child.stop()
    await authority.child.stop()
    cgroup.remove()
  }
}

await exitWith('bench:node-cache-memory', async () => {
  endOnSignals()
  const directory = mkdtempSync(join(tmpdir(), 'neardns-bench-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  let isGood = true
  for (const limitMiB of limitsMiB) {
    const outcome = await under(limitMiB, directory)
    isGood &&= outcome.isGood
    process.stdout.write(`${limitMiB} MiB: ${outcome.text}\n`)
  }
  return isGood ? 0 : 1
})
