/**
 * Knows our own queries when they come back. Every upstream query carries a random number of this process in a local EDNS
 * option; a resolver that hands it on, and is itself pointed at us, would else forward for ever. The loop is answered and
 * counted, and the daemon goes on (CoreDNS's `loop` exits, which is a way to stop it from outside: CVE-2026-26018).
 */
import type { Question } from '../wire/question.ts'

/** Octets of one process's number. */
export const markerBytes = 8

/** @param marker `markerBytes` random octets of this process */
export function isOwnQuery(query: Uint8Array, question: Question, marker: Uint8Array): boolean {
  if (question.markerBytes !== markerBytes || marker.length !== markerBytes) return false
  for (let i = 0; i < markerBytes; i++) {
    if (query[question.markerAt + i] !== marker[i]) return false
  }
  return true
}
