/**
 * Nftables for tests, with the answers that a real kernel gave: the messages of a file in captures/, read by the code that reads the kernel's.
 * What was not asked then cannot be asked now.
 */
import { readFileSync } from 'node:fs'
import { readBaseChain, readElements, readRule, readTable } from '../../src/host/nft/decode.ts'
import type { Place } from '../../src/host/nft/model.ts'
import type { Nftables, SetPlace } from '../../src/host/nft/nftables.ts'
import type { KernelMessage } from '../../src/system/netlink.ts'

/** Messages of the kernel by the question that they answered. */
export type Capture = ReadonlyMap<string, readonly KernelMessage[]>

export function readCapture(name: string): Capture {
  const text = readFileSync(new URL(`captures/${name}.txt`, import.meta.url), 'latin1')
  const blocks = text.split(/^> /m).slice(1)
  return new Map(
    blocks.map((block) => {
      const [question = '', ...lines] = block.trimEnd().split('\n')
      return [question, lines.map(messageOf)]
    }),
  )
}

function messageOf(line: string): KernelMessage {
  const [type = '', body = ''] = line.split(' ')
  return { type: Number.parseInt(type, 16), body: Buffer.from(body, 'hex') }
}

/** @param changes instead of what was captured */
export function replayedNftables(name: string, changes: Partial<Nftables> = {}): Nftables {
  const capture = readCapture(name)
  const answer = (question: string) => {
    const messages = capture.get(question)
    if (messages === undefined) throw new Error(`${name} has no answer to "${question}"`)
    return messages
  }
  const place = ({ family, table, chain }: Place) => `${family} ${table} ${chain}`
  const setPlace = ({ family, table, set }: SetPlace) => `${family} ${table} ${set}`
  return {
    changes: 0,
    change: async () => ({ ok: true }),
    generation: async () => 1,
    tables: async () => answer('tables').flatMap((one) => readTable(one) ?? []),
    baseChains: async () => answer('baseChains').flatMap((one) => readBaseChain(one) ?? []),
    rules: async (at) => answer(`rules ${place(at)}`).map(readRule),
    elements: async (set) => answer(`elements ${setPlace(set)}`).flatMap(readElements),
    element: async (set, key) =>
      answer(`element ${setPlace(set)} ${Buffer.from(key).toString('hex')}`).flatMap(
        readElements,
      )[0],
    fingerprint: async () => '',
    close: async () => undefined,
    ...changes,
  }
}
