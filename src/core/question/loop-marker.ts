/**
 * Knows our own queries when they come back. Every upstream query carries a random number of this process in a local EDNS
 * option; a resolver that hands it on, and is itself pointed at us, would else forward for ever. Other daemons of our kind make
 * queries of their own, so each carries on the numbers that a query came with: two that are pointed at each other notice it
 * at the third packet. The loop is answered and counted, and the daemon goes on (CoreDNS's `loop` exits, which is a way to
 * stop it from outside: CVE-2026-26018).
 */
import type { Question } from '../../wire/question.ts'

/** Octets of one process's number. */
export const markerBytes = 8
/**
 * Numbers in one query: those of the first daemons on the way, so that a loop of any length is closed by whoever it began
 * with. Bounds what a client can make us send.
 */
const markersMax = 4

/** @param marker `markerBytes` random octets of this process */
export function isOwnQuery(query: Uint8Array, question: Question, marker: Uint8Array): boolean {
  if (marker.length !== markerBytes || !isMarkerList(question)) return false
  const end = question.markerAt + question.markerBytes
  for (let at = question.markerAt; at < end; at += markerBytes) {
    if (isMarkerAt(query, at, marker)) return true
  }
  return false
}

/**
 * Data of the loop marker option for the query that goes upstream.
 * @returns `marker` itself for an ordinary client’s query; else octets to be used at once, perhaps a view of `query`
 */
export function markersFor(query: Uint8Array, question: Question, marker: Uint8Array): Uint8Array {
  if (question.markerBytes === 0 || marker.length === 0 || !isMarkerList(question)) return marker
  const { markerAt, markerBytes: before } = question
  const received = query.subarray(markerAt, markerAt + before)
  if (before === markersMax * markerBytes) return received
  const markers = new Uint8Array(before + markerBytes)
  markers.set(received)
  markers.set(marker, before)
  return markers
}

function isMarkerList({ markerBytes: octets }: Question): boolean {
  return octets > 0 && octets % markerBytes === 0 && octets <= markersMax * markerBytes
}

function isMarkerAt(query: Uint8Array, at: number, marker: Uint8Array): boolean {
  for (let i = 0; i < markerBytes; i++) {
    if (query[at + i] !== marker[i]) return false
  }
  return true
}
