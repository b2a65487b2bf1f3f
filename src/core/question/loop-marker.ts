/**
 * Recognises our own queries when they come back. Every upstream query carries a random number of this process in a local EDNS
 * option; without it, a resolver that points at us would make a query circle for ever. Other neardns processes make their own
 * queries, so each carries on the numbers that a query came with: two that point at each other notice it at the third packet. The
 * loop is answered and counted, and the daemon goes on (CoreDNS's `loop` exits, which lets others stop it from outside:
 * CVE-2026-26018).
 */
import type { Question } from '../../wire/question.ts'

/** Bytes of one process's number. */
export const markerBytes = 8
/**
 * Numbers in one query: those of the first daemons on the way, so that the daemon where a loop began closes it, whatever its
 * length. Bounds what a client can make us send.
 */
const markersMax = 4

/** @param marker `markerBytes` random bytes of this process */
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
 * @returns `marker` itself for an ordinary client’s query; otherwise bytes to be used at once, perhaps a view of `query`
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
