/** What a question would get now, and why: in lines for people, and as values. Asks nobody, changes nothing. */
import type { CacheEntry } from '../../core/cache/entry.ts'
import { nobody } from '../../core/decision.ts'
import { type Explanation, explainText, foretell, questionAbout } from '../../core/explain.ts'
import {
  type ExplanationView,
  explanationView,
  type UpstreamState,
} from '../../core/explanation-view.ts'
import { parseName } from '../../wire/name.ts'
import { recordLines } from '../../wire/record-text.ts'
import type { DataPath } from '../data-path.ts'

/** @returns a name that somebody asks about, as the functions below take it; undefined for what is none. The root is asked for as `.`. */
export function nameAsked(text: string): string | undefined {
  const octets = text === '' ? undefined : parseName(text)
  return octets && Buffer.from(octets).toString('latin1')
}

/** @param name folded wire form, one character a byte */
export function explainLines(path: DataPath, name: string, qtype: number): string[] {
  const explanation = foretold(path, name, qtype)
  const sources = sourcesOf(path)
  const upstreams = (group: string) => sources.upstreams(group).map(upstreamLine)
  const lines = explainText(explanation, { ...sources, upstreams })
  return [...lines, ...path.kernelLines(explanation.inquiry.entry)]
}

/** @param name folded wire form, one character a byte */
export function explainedView(path: DataPath, name: string, qtype: number): ExplanationView {
  return explanationView(foretold(path, name, qtype), sourcesOf(path))
}

function foretold(path: DataPath, name: string, qtype: number): Explanation {
  const { query, question } = questionAbout(name, qtype)
  return foretell(path, query, question, { nowMs: path.nowMs(), asker: nobody })
}

function sourcesOf({ exchange, settler }: DataPath) {
  return {
    records: recordLines,
    upstreams: (group: string): UpstreamState[] => {
      const found = exchange.stats().find(({ name }) => name === group)
      return (found?.upstreams ?? []).map(({ name, isUp, roundTripMs, load }) => ({
        name,
        isUp,
        roundTripMs,
        inFlight: load,
      }))
    },
    staleAfterMs: (entry: CacheEntry) => settler.holdBackMs(entry),
  }
}

function upstreamLine({ name, isUp, roundTripMs, inFlight }: UpstreamState): string {
  return `${name} ${isUp ? 'up' : 'down'}, ${roundTripMs.toFixed(1)} ms, ${inFlight} in flight`
}
