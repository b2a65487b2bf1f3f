/** Puts the search path's knowledge of a name into words, for people. */
import { presentName } from '../../wire/name.ts'
import type { SearchEvidence } from './denial.ts'

export function evidenceLines(evidence: SearchEvidence, nowMs: number): string[] {
  const { shape, rule, cuts, trust, fingerprint, isCarvedOut, openBreakers } = evidence
  return [
    `shape     ${shape}${rule === undefined ? '' : `: ${rule}`}`,
    ...cuts.map(({ name, known }) => `cut       ${presentWireText(name)} ${cutText(known, nowMs)}`),
    `trust     ${trust}; denials seen: ${fingerprint}`,
    ...(trust === 'cautious'
      ? ['trust     what is known of one name says nothing about another']
      : []),
    ...(isCarvedOut ? ['trust     carved out: always asked'] : []),
    ...openBreakers.map(
      (kind) =>
        `breaker   off after a mismatch: ${kind.includes('\0') ? presentWireText(kind) : kind}`,
    ),
  ]
}

/** @param name folded wire form, one character a byte */
export function presentWireText(name: string): string {
  return presentName(Buffer.from(name, 'latin1'), 0)
}

function cutText(known: SearchEvidence['cuts'][number]['known'], nowMs: number): string {
  if (known === undefined) return 'nothing known'
  const leftSeconds = ((known.expiresMs - nowMs) / 1000).toFixed(1)
  const ageSeconds = ((nowMs - known.learnedMs) / 1000).toFixed(1)
  return `${known.exists ? 'exists' : 'does not exist'}, learned ${ageSeconds} s ago, ${leftSeconds} s left`
}
