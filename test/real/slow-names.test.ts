/*
 * Goal: names for which CoreDNS must ask a slow resolver hold up no cluster question, and are themselves no slower than when CoreDNS is
 * asked directly. Method: an exchange over the real CoreDNS, which answers one connection's questions one after another; its forward
 * plugin asks a resolver that takes its time. Bounds allow for a busy machine.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { UpstreamExchange } from '../../src/upstream/exchange.ts'
import { Coredns } from '../support/coredns.ts'
import { freePort } from '../support/free-port.ts'
import { needing } from '../support/needs.ts'
import { delayed, FakeUpstream } from '../upstream/fake-upstream.ts'
import {
  ask,
  failuresIn,
  pause,
  quantileMs,
  settings,
  type Told,
  withExchange,
} from '../upstream/support.ts'

export const testTimeoutMs = 60_000

const test = needing(suite('real/slow-names'), 'coredns')

const slowMs = 600
const inCluster = { mayRecurse: false }
let resolver: FakeUpstream
let coredns: Coredns
let port: number

test.before(async () => {
  resolver = await FakeUpstream.start(delayed(slowMs))
  port = await freePort()
  const corefile = `.:${port} {
  bind 127.0.0.1
  template IN A cluster.local {
    match ^quick
    answer "{{ .Name }} 5 IN A 10.0.0.1"
    fallthrough
  }
  forward . 127.0.0.1:${resolver.port} {
    max_concurrent 1000
  }
}
`
  coredns = await Coredns.start({ corefile })
})

test.after(async () => {
  await coredns.stop()
  await resolver.stop()
})

async function run(
  slowOverUdp: boolean,
  body: (exchange: UpstreamExchange) => Promise<void>,
): Promise<void> {
  const stream = { ...settings.stream, slowOverUdp }
  const address = { transport: 'tcp', address: '127.0.0.1', port, family: 4 } as const
  const group = { name: 'test', upstreams: [address], settings: { ...settings, stream } }
  await withExchange([group], [], body)
}

let asked = 0

/** Cluster names that nobody has asked before, 200 a second. */
async function askQuick(exchange: UpstreamExchange, forMs: number): Promise<Told[]> {
  const told: Promise<Told>[] = []
  const startMs = performance.now()
  for (let atMs = 0; atMs < forMs; atMs = performance.now() - startMs) {
    while (told.length < atMs / 5) {
      told.push(ask(exchange, `quick${asked++}.cluster.local`, 'test', inCluster))
    }
    await pause(2)
  }
  return Promise.all(told)
}

/** Quick names while forty slow ones are open, and the longest that this process was late. */
async function askBeside(exchange: UpstreamExchange, askSlow: () => Promise<Told>) {
  await askQuick(exchange, 200)
  const slow: Told[] = []
  let isOver = false
  let lagMs = 0
  let beforeMs = performance.now()
  const beat = setInterval(() => {
    lagMs = Math.max(lagMs, performance.now() - beforeMs - 5)
    beforeMs = performance.now()
  }, 5)
  const askOn = async () => {
    while (!isOver) slow.push(await askSlow())
  }
  const askers = Array.from({ length: 40 }, askOn)
  const quick = await askQuick(exchange, 2500)
  isOver = true
  await Promise.all(askers)
  clearInterval(beat)
  return { quick, slow, lagMs }
}

const kinds: readonly [string, (i: number) => string, boolean][] = [
  ['ExternalNames', (i) => `external${i}.default.svc.cluster.local`, false],
  ['outside reverse names', (i) => `${i & 255}.${i >> 8}.0.192.in-addr.arpa`, true],
]

for (const [what, nameOf, mayRecurse] of kinds) {
  for (const slowOverUdp of [true, false]) {
    test(`forty ${what}, ${slowOverUdp ? 'over UDP' : 'over TCP alone'}, hold up no cluster question`, async () => {
      await run(slowOverUdp, async (exchange) => {
        const askSlow = () => ask(exchange, nameOf(asked++), 'test', { mayRecurse })
        let { quick, slow, lagMs } = await askBeside(exchange, askSlow)
        // A process that was itself held up has measured nothing.
        for (let i = 0; i < 2 && lagMs > 100; i++) {
          ;({ quick, slow, lagMs } = await askBeside(exchange, askSlow))
        }
        const whys = [quick, slow].map((told) =>
          failuresIn(told)
            .map(({ why }) => why)
            .join(),
        )
        assert.equal(whys, ['', ''])
        assert.ok(quantileMs(quick, 0.95) < slowMs / 2, `p95 ${quantileMs(quick, 0.95)} ms`)
        assert.ok(quantileMs(slow, 0.5) < 1.5 * slowMs, `${quantileMs(slow, 0.5)} ms`)
        const { connections = 0 } = exchange.stats()[0]?.upstreams[0] ?? {}
        assert.ok(connections <= settings.stream.connectionsMax, `${connections} connections`)
      })
    })
  }
}

test('what was slow goes over UDP from then on, and CoreDNS is asked once for each name', async () => {
  await run(true, async (exchange) => {
    await askQuick(exchange, 200)
    const names = Array.from({ length: 10 }, () => `external${asked++}.late.svc.cluster.local`)
    const askAll = () => Promise.all(names.map((name) => ask(exchange, name, 'test', inCluster)))
    await askAll()
    const before = exchange.stats()[0]?.upstreams[0]?.counters.aside ?? 0
    const told = await askAll()
    assert.is(failuresIn(told).length, 0)
    assert.ok((exchange.stats()[0]?.upstreams[0]?.counters.aside ?? 0) - before >= 10)
  })
})

test.run()
