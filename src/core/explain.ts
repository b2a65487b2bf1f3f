/**
 * Tells what a question would get at this moment, and why. Asks the parts that decide, changes nothing, asks nobody. For
 * people: one line a step, names in presentation form.
 */
import { RrType } from '../wire/constants.ts'
import { presentName } from '../wire/name.ts'
import { plainQuery } from '../wire/query.ts'
import { Question, readQuestion } from '../wire/question.ts'
import type { Cache } from './cache/cache.ts'
import type { CacheEntry } from './cache/entry.ts'
import type { FailureCache } from './cache/failure-cache.ts'
import type { InFlight } from './question/in-flight.ts'
import type { Route, Router } from './router.ts'
import type { SearchEvidence } from './search/denial.ts'
import type { SearchSlot } from './search/stage.ts'

export interface ExplainParts {
  readonly cache: Cache
  readonly failures: FailureCache
  readonly inFlight: InFlight
  readonly router: Router
  readonly search: SearchSlot
}

/**
 * @param name folded wire form, one character an octet
 * @returns lines of text; the last says what a client would get
 */
export function explain(parts: ExplainParts, name: string, qtype: number, nowMs: number): string[] {
  const query = plainQuery(name, qtype)
  const question = new Question()
  readQuestion(query, query.length, question)
  const { cache, router } = parts
  const entry = cache.lookup(query, question, nowMs)
  const octets = Buffer.from(name, 'latin1')
  const route = router.route(octets, octets.length)
  const lines = [
    `${presentName(octets, 0)} ${typeText(qtype)}`,
    `zone      ${route.zone} -> upstream group "${route.group}"`,
    `cache     ${entry === undefined ? 'nothing' : entryText(entry, nowMs)}`,
  ]
  if (entry?.isFresh(nowMs) === true)
    return [...lines, `outcome   ${rcodeText(entry)} from the cache`]
  const search = searchLines(parts, octets, question, { entry, route, nowMs })
  return [
    ...lines,
    ...search.lines,
    `outcome   ${search.outcome ?? upstreamText(parts, entry, route, nowMs)}`,
  ]
}

interface Known {
  readonly entry: CacheEntry | undefined
  readonly route: Route
  readonly nowMs: number
}

function searchLines(
  { cache, search }: ExplainParts,
  octets: Buffer,
  question: Question,
  { route, nowMs }: Known,
): { lines: string[]; outcome?: string } {
  const { stage } = search
  if (!route.isCluster) return { lines: [] }
  if (stage === undefined) return { lines: ['search    off'] }
  const evidence = stage.judge.explain(octets, octets.length, nowMs)
  const answerMode = stage.answerMode?.explain(octets.toString('latin1'), nowMs)
  const lines = [
    ...evidenceLines(evidence, nowMs),
    ...(answerMode === undefined ? [] : [`answers   ${answerMode}`]),
  ]
  if (!stage.judge.isJudged(question)) {
    return { lines: [...lines, 'search    this type is always asked'] }
  }
  const { denial } = evidence
  if (denial?.isFirst === true)
    return { lines: [...lines, 'search    the first of its kind is asked, not denied'] }
  if (denial !== undefined) {
    const why = denial.evidence === 'cut' ? `${present(denial.kind)} does not exist` : denial.kind
    return { lines, outcome: `NXDOMAIN without asking, for ${denial.ttlSeconds} s: ${why}` }
  }
  const ofA = question.qtype === RrType.a ? undefined : cache.lookupType(question, RrType.a)
  if (ofA?.isFresh(nowMs) === true && ofA.deniesFamily) {
    return {
      lines,
      outcome: 'NXDOMAIN without asking: A was denied, and so is every type of the name',
    }
  }
  return { lines }
}

function evidenceLines(evidence: SearchEvidence, nowMs: number): string[] {
  const { shape, rule, cuts, trust, fingerprint, isCarvedOut, isConfirmed, openBreakers } = evidence
  const confirmed = isConfirmed
    ? 'this name was denied by CoreDNS lately'
    : 'this name was not denied lately'
  return [
    `shape     ${shape}${rule === undefined ? '' : `: ${rule}`}`,
    ...cuts.map(({ name, known }) => `cut       ${present(name)} ${cutText(known, nowMs)}`),
    `trust     ${trust}; denials seen: ${fingerprint}${trust === 'cautious' ? `; ${confirmed}` : ''}`,
    ...(isCarvedOut ? ['trust     carved out: always asked'] : []),
    ...openBreakers.map(
      (kind) => `breaker   off after a mismatch: ${kind.includes('\0') ? present(kind) : kind}`,
    ),
  ]
}

function cutText(known: SearchEvidence['cuts'][number]['known'], nowMs: number): string {
  if (known === undefined) return 'nothing known'
  const leftSeconds = ((known.expiresMs - nowMs) / 1000).toFixed(1)
  const ageSeconds = ((nowMs - known.learnedMs) / 1000).toFixed(1)
  return `${known.exists ? 'exists' : 'does not exist'}, learned ${ageSeconds} s ago, ${leftSeconds} s left`
}

function upstreamText(
  { cache, failures, inFlight }: ExplainParts,
  entry: CacheEntry | undefined,
  route: Route,
  nowMs: number,
): string {
  const failure = failures.lookup(cache.key, cache.keys.nameHash, nowMs)
  if (failure !== undefined) return `rcode ${failure.rcode}: failed lately, asked again soon`
  const stale =
    entry?.isUsableStale(nowMs) === true ? '; the expired answer if that takes long' : ''
  if (inFlight.get(cache.key) !== undefined)
    return `joins the question in flight to ${route.group}${stale}`
  return `asked of ${route.group}${stale}`
}

function entryText(entry: CacheEntry, nowMs: number): string {
  const ageSeconds = Math.floor((nowMs - entry.storedMs) / 1000)
  const leftSeconds = Math.ceil((entry.expiresMs - nowMs) / 1000)
  const state = leftSeconds > 0 ? `${leftSeconds} s left` : `expired ${-leftSeconds} s ago`
  return `${rcodeText(entry)}, ${ageSeconds} s old, ${state}, ${entry.hits} hits`
}

function rcodeText(entry: CacheEntry): string {
  if (entry.rcode === 3) return 'NXDOMAIN'
  return entry.isDenial ? 'NODATA' : 'an answer'
}

function present(name: string): string {
  return presentName(Buffer.from(name, 'latin1'), 0)
}

function typeText(qtype: number): string {
  const found = Object.entries(RrType).find(([, value]) => value === qtype)
  return found === undefined ? `TYPE${qtype}` : found[0].toUpperCase()
}

/** @returns the number of a type by its mnemonic or `TYPEn` (RFC 3597 5), or undefined */
export function parseType(text: string): number | undefined {
  const known = Object.entries(RrType).find(([key]) => key === text.toLowerCase())
  if (known !== undefined) return known[1]
  const number = /^type(\d{1,5})$/i.exec(text)?.[1]
  return number !== undefined && Number(number) <= 65_535 ? Number(number) : undefined
}
