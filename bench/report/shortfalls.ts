/** For bars that were not met: where the time goes, and what would be needed. Findings of profiles, with this run's figures. Pure. */
import type { Run } from '../comparison/contest.ts'
import type { ComparisonResult } from '../comparison/summary.ts'
import type { Verdict } from '../support/bars.ts'
import { growthShare } from '../support/statistics.ts'
import { misses, type Place, pacedHits, summaryAt } from './bars.ts'
import type { AllResults } from './performance-page.ts'
import { delaysText } from './stall-page.ts'
import { fixed } from './text.ts'

export type Findings = Pick<AllResults, 'comparison' | 'long' | 'stall'>

interface Reason {
  /** Which bars are meant; the first that fits. */
  readonly bar: RegExp
  text(findings: Findings): string
}

const reasons: readonly Reason[] = [
  { bar: /^hit at 10,000 q\/s, p99/, text: pacedText },
  {
    bar: /^(hit|miss) at [\d,]+ q\/s, CPU/,
    text: () =>
      'at a fixed rate each query is a wake-up. A loop of C with epoll and recvfrom took 21 us at 1,000 q/s and 16.7 at 10,000, Node with its poll handle and calls through FFI 30-37 and 21-22, our endpoint with an echo behind it 35 and 22.8, unbound 31 and 22.2, neardns 44 and 28.3 (November 2026, an Intel Xeon). So Node alone takes what unbound does, and half of the rest is our own code, which is cold rather than slow: the same JavaScript, builtins and C++ cost three times as much a query at 1,000 q/s as at 10,000. Each turn of the loop polls twice, because Node keeps its idle time: nothing to be seen in the noise. What would be needed: fewer lines of memory a query, or hits that never wake the loop (decision 0055).',
  },
  {
    bar: /^(miss|pods) at [\d,]+ q\/s, p99/,
    text: () =>
      'the loop stands still while V8 marks what is alive (up to 20 ms at a time when its threads share the CPU, steps of some ms when they do not), and for 0.8-1.2 ms at each scavenge, 14 a second at 10,000 misses a second (decisions 0049, 0057). What would be needed: nothing to mark, so entries in columns of typed arrays.',
  },
  {
    bar: /^hit at saturation, CPU per query,/,
    text: () =>
      'four fifths of a hit are system calls and the kernel behind them, the same for all servers; the lead over them comes from reading and writing up to 64 packets in a call, so it is smaller with fewer queries out. What would be needed: no system call (decision 0055).',
  },
  { bar: /^first answer after exec/, text: firstAnswerText },
  {
    bar: /^CPU per hit, 100,000 names/,
    text: () =>
      'User time: with 100,000 names the entry, its key and its message come from main memory, a few hundred ns a query; the other servers pay the same (the tables say how much). The ratio grows when the hit itself becomes cheaper. A view object for each message was two of those lines and is gone (decision 0011). What would be needed: the lines of a whole batch fetched ahead, for which JavaScript has no instruction, or entries in columns, which are harder to read.',
  },
  { bar: /^miss over TCP/, text: missText },
  { bar: /^RSS, growth/, text: growthText },
  {
    bar: /^RSS/,
    text: () => "Pages of Node's binary and V8's heap (decisions 0022, 0026).",
  },
  { bar: /^(longest|replies later|p99, median of the windows)/, text: stallText },
]

export function shortfallsText(rows: readonly Verdict[], findings: Findings): string {
  const bars = new Map<Reason, string[]>()
  for (const { what, verdict } of rows) {
    const reason = reasons.find(({ bar }) => bar.test(what))
    if (verdict === 'not met' && reason) bars.set(reason, [...(bars.get(reason) ?? []), what])
  }
  const items = [...bars].map(
    ([reason, whats]) => `- ${whats.join('; ')}: ${reason.text(findings)}`,
  )
  return items.length === 0
    ? ''
    : `Where the time goes in those that are not met:\n\n${items.join('\n')}`
}

function stallText({ stall }: Findings): string {
  if (stall === undefined) return ''
  const { segments } = stall
  const stolenSeconds = segments.reduce((sum, { stolenMs }) => sum + stolenMs, 0) / 1000
  const others = segments.filter(({ contestant }) => contestant === 'unbound')
  const longestMs = fixed(Math.max(...others.map(({ maxUs }) => maxUs)) / 1000, 1)
  return `${delaysText(stall)} The hypervisor took ${fixed(stolenSeconds, 0)} s of CPU time from the two CPUs over the ${segments.length} windows of both servers; unbound, which nobody scrapes, had a longest reply of ${longestMs} ms in its half of them. The table of that run, below, has the calm windows apart. In ten seconds in which it took nothing, with a scrape each second, p99 was 0.14 ms, p99.9 1.3 ms and the longest reply 4.6 ms (Intel Xeon); at 10,000 q/s each query is a wake-up and the loop is busy for a third of the time, so what is stolen is worked off more slowly than by unbound. One major collection of V8 in five minutes took 14 ms. What would be needed to see the daemon alone: a machine without other guests.`
}

function pacedText({ comparison }: Findings): string {
  if (comparison === undefined) return ''
  const [own, peer, echo] = ['neardns', 'unbound', 'echo'].map((name) => paced(comparison, name))
  return `a query wakes the server up, and costs ${own?.cpu} us of CPU, wake-up included (unbound ${peer?.cpu}, the echo server ${echo?.cpu}): a turn of libuv's loop and the way through FFI come to
each. The slowest hundredth is what came while the kernel or the hypervisor had the CPU, and whoever needs more CPU is longer in working that off: from run to run the p99 of neardns was ${own?.range}
us, unbound's ${peer?.range}, that of the echo server, which does nothing, ${echo?.range}. What would be needed: a cheaper turn of the loop, so reading and answering hits outside of libuv (native code), or a loop that polls, which costs a CPU.`
}

function growthText({ long }: Findings): string {
  const samples = long?.samples ?? []
  const late = samples.slice(Math.floor(samples.length / 2))
  const share = growthShare(late.map(({ seconds, rssBytes }) => [seconds, rssBytes]))
  return `the warm-up, in which the cache fills to its bound and V8's heap grows around it, took longer than the first quarter; over the last half the growth is ${fixed(100 * share, 1)} % (plot below). What would be needed: a longer run, of which the warm-up is a smaller part.`
}

function missText({ comparison }: Findings): string {
  if (comparison === undefined) return ''
  const [own, peer] = ['neardns', 'coredns'].map((name) => ranges(comparison, misses, name))
  return `from round to round a miss cost neardns ${own?.cpu} us of CPU and CoreDNS ${peer?.cpu}, at ${own?.rate} and ${peer?.rate} q/s. Most of it is user time, a fifth of all is V8's collector (decision 0023). What would be needed: fewer objects a miss, or a quiet machine to tell.`
}

function firstAnswerText({ comparison }: Findings): string {
  const peer = comparison?.firstAnswers.find(({ contestant }) => contestant === 'coredns')?.medianMs
  return `Node boots twice, because V8 reads the size of its heap at start only, and then loads the daemon and the modules of Node that it uses; what has gone already is in decisions 0022, 0024, 0025 and 0029. CoreDNS took ${fixed(peer ?? Number.NaN, 0)} ms in this run. Before 0029 it was 234 ms on an AMD EPYC where CoreDNS took 28, 292 on an Intel Xeon, 423 on a busy EPYC where CoreDNS took 46; with it, 167 on a calm Intel Xeon where CoreDNS took 24, and 246-379 on an EPYC where CoreDNS took 35-49. There, on one CPU, a Node that does nothing takes 34 ms, and the first start 119, 72 of them for the configuration: the schema's objects are made (46), YAML is read and checked (25). What would be needed: a schema of which only the sections are made that the file has, a V8 that takes the size of its heap after the start, or a Node that can put its network modules into a snapshot (0029).`
}

function paced(result: ComparisonResult, name: string): { cpu: string; range: string } | undefined {
  const summary = summaryAt(result, pacedHits, name)
  if (summary === undefined) return undefined
  const range = rangeOf(runsAt(result, pacedHits, name).map(({ p99Us }) => p99Us))
  return { cpu: fixed(summary.cpuUsPerQuery, 1), range }
}

function ranges(
  result: ComparisonResult,
  place: Place,
  name: string,
): { cpu: string; rate: string } {
  const runs = runsAt(result, place, name)
  return {
    cpu: rangeOf(runs.map(({ cpuUsPerQuery }) => cpuUsPerQuery)),
    rate: rangeOf(runs.map(({ queriesPerSecond }) => queriesPerSecond)),
  }
}

function runsAt({ scenarios }: ComparisonResult, { scenario, load }: Place, name: string): Run[] {
  return scenarios
    .filter((each) => each.name === scenario)
    .flatMap(({ runs }) => runs)
    .filter((run) => run.contestant === name && run.load === load && run.invalid.length === 0)
}

function rangeOf(values: readonly number[]): string {
  return `${fixed(Math.min(...values), 0)}-${fixed(Math.max(...values), 0)}`
}
