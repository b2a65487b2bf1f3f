/**
 * Does the daemon live with the least memory that it accepts? In a cgroup of that size, for half an hour look-ups of pods at a fixed rate, one in ten for
 * a name that was never asked before: nothing may be lost. And with a mebibyte less it has to refuse to start, with the number. Needs
 * root, for the cgroup.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { leastMiB } from '../../src/platform/memory-limit.ts'
import { atMost } from '../support/bars.ts'
import { growingPodTraffic } from '../support/query-mix.ts'
import { builtMain, inCgroup, startWrapped } from '../support/servers.ts'
import { significant } from '../support/statistics.ts'
import { makeMemoryCgroup } from './memory-cgroup.ts'
import { countsOf, type Flags, type ResultOf, type Rig, runSoak, sampling } from './rig.ts'

const mebibyte = 1_048_576
const warmSecondsMax = 60
const sampleMs = 1000
/** Every sixtieth sample, one a minute, is kept in the file. */
const keptSampleEvery = 60
/** Names that the warming has not asked. */
const uniqueFrom = 1_000_000
/** What the command line uses for a wrong configuration. */
const refusalCode = 2
/** It refuses before it reads its configuration. */
const patienceMs = 10_000

const flags = { minutes: 30, rate: 20_000 }

export type LeastMemoryResult = ResultOf<'least-memory', typeof measure>

async function measure(rig: Rig, { minutes, rate }: Flags<keyof typeof flags>) {
  const { cgroup } = rig
  if (cgroup === undefined) throw new Error('the daemon has no cgroup')
  const refusal = await startWithLess()
  const queryFile = rig.queries('queries', growingPodTraffic(), 2)
  // A cold cache cannot take the rate; a client in a closed loop waits for it.
  await rig.load({ queryFile, seconds: warmSecondsMax, once: true })
  const samples: { seconds: number; rssBytes: number; anonBytes: number }[] = []
  const loading = rig.load({ queryFile, seconds: minutes * 60, rate, uniqueFrom })
  const report = await sampling(loading, sampleMs, (at) => {
    const { rssBytes } = rig.read()
    samples.push({ seconds: significant(at), rssBytes, anonBytes: cgroup.read().anonBytes })
  })
  const { usageMaxBytes, limitHits, oomKills } = cgroup.read()
  const verdict = {
    ...countsOf(report),
    ...{ minutes, rate, limitBytes: leastMiB * mebibyte, limitHits, oomKills },
    ...{ p50Us: report.p50Us, p99Us: report.p99Us, p999Us: report.p999Us },
    cgroupMaxBytes: usageMaxBytes,
    anonMaxBytes: Math.max(...samples.map(({ anonBytes }) => anonBytes)),
    rssMaxBytes: Math.max(...samples.map(({ rssBytes }) => rssBytes)),
    refusal,
  }
  const { lost, servfail, wrong } = verdict
  const refuses = refusal.code === refusalCode && refusal.text.includes(`at least ${leastMiB} MiB`)
  const bars = [
    atMost('lost or failed', 0, lost + servfail),
    atMost('wrong replies', 0, wrong),
    atMost('OOM kills', 0, oomKills),
    atMost(`starts with ${leastMiB - 1} MiB`, 0, refuses ? 0 : 1),
  ]
  return { bars, verdict, samples: samples.filter((_, n) => (n + 1) % keptSampleEvery === 0) }
}

/** What it says when it has a mebibyte too little. */
async function startWithLess() {
  const cgroup = makeMemoryCgroup(`neardns-less-${process.pid}`, (leastMiB - 1) * mebibyte)
  const args = [await builtMain(), 'run', '--listen=127.0.0.1:0', '--upstream=127.0.0.1:9']
  const child = startWrapped(inCgroup(cgroup.procsFile), process.execPath, args)
  try {
    const code = await Promise.race([child.exited.then((exit) => exit.code), sleep(patienceMs)])
    return { code: code ?? undefined, text: child.tail(1) }
  } finally {
    await child.stop()
    cgroup.remove()
  }
}

await runSoak({ kind: 'least-memory', flags, memoryBytesMax: () => leastMiB * mebibyte, measure })
