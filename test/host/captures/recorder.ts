/**
 * Runs in the network namespace of a node: asks the kernel's nftables what the daemon would ask, and prints the kernel's messages as they
 * came. Started by record.ts; the arguments are the questions.
 */
import { parseEndpoint } from '../../../src/config/address.ts'
import { guardedChains } from '../../../src/host/firewall/guarded-chains.ts'
import { hasOpening } from '../../../src/host/firewall/openings.ts'
import { podsInIptablesNft, podsInNftables } from '../../../src/host/kube-proxy/service-pods.ts'
import type { Place } from '../../../src/host/nft/model.ts'
import { type Nftables, openNftables, type SetPlace } from '../../../src/host/nft/nftables.ts'
import { loadSystemCalls } from '../../../src/system/system-calls.ts'

const headerBytes = 16
/** NLMSG_ERROR and NLMSG_DONE say nothing about the ruleset. */
const firstOfSubsystem = 0x10

/** NF_INET_LOCAL_IN. */
const localIn = 1

let messages: string[] = []
const recorded = new Map<string, readonly string[]>()

/** The system calls are one object in a process: what the netlink socket receives passes here. */
function listenIn(): void {
  const calls = loadSystemCalls()
  const { receive } = calls
  calls.receive = (fd, into) => {
    const length = receive(fd, into)
    if (length > 0) note(Buffer.from(into.subarray(0, length)))
    return length
  }
}

function note(datagram: Buffer): void {
  for (let at = 0; at + headerBytes <= datagram.length; ) {
    const length = datagram.readUInt32LE(at)
    const type = datagram.readUInt16LE(at + 4)
    const body = datagram.subarray(at + headerBytes, at + length)
    if (type >= firstOfSubsystem) messages.push(`${type.toString(16)} ${body.toString('hex')}`)
    at += (length + 3) & ~3
  }
}

function recording(nftables: Nftables): Nftables {
  const note = async <T>(question: string, ask: () => Promise<T>): Promise<T> => {
    messages = []
    const answer = await ask()
    recorded.set(question, messages)
    return answer
  }
  const place = ({ family, table, chain }: Place) => `${family} ${table} ${chain}`
  const setPlace = ({ family, table, set }: SetPlace) => `${family} ${table} ${set}`
  return {
    changes: 0,
    change: (changes) => nftables.change(changes),
    generation: () => note('generation', () => nftables.generation()),
    tables: () => note('tables', () => nftables.tables()),
    baseChains: () => note('baseChains', () => nftables.baseChains()),
    rules: (at) => note(`rules ${place(at)}`, () => nftables.rules(at)),
    elements: (set) => note(`elements ${setPlace(set)}`, () => nftables.elements(set)),
    element: (set, key) =>
      note(`element ${setPlace(set)} ${Buffer.from(key).toString('hex')}`, () =>
        nftables.element(set, key),
      ),
    fingerprint: (at) => nftables.fingerprint(at),
    close: () => nftables.close(),
  }
}

listenIn()
const opened = await openNftables()
if (!opened.ok) throw new Error(opened.why)
const nftables = recording(opened.nftables)
await nftables.generation()
await nftables.tables()
for (const question of process.argv.slice(2)) {
  const service = parseEndpoint(question)
  if (service.ok) {
    await podsInNftables(nftables, service.value)
    await podsInIptablesNft(nftables, service.value)
  } else if (question === 'guarded') {
    await guardedChains(nftables)
  } else if (question === 'openings') {
    for (const base of await nftables.baseChains()) {
      if (base.type === 'filter' && base.hook === localIn) await hasOpening(nftables, base, 1)
    }
  }
}
await nftables.close()
for (const [question, answer] of recorded) {
  process.stdout.write([`> ${question}`, ...answer, ''].join('\n'))
}
