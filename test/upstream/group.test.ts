/*
 * Goal: a group chooses by its policy, keeps what stays through a reload, and knows when all of it is down and when it is back. Method:
 * a group before an owner that notes what it is told; upstreams are taken down by their own rules, and no packet is sent.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { UpstreamTransport } from '../../src/address/upstream-url.ts'
import { type Deferred, type GroupOwner, UpstreamGroup } from '../../src/upstream/group.ts'
import type { OpenQuestion } from '../../src/upstream/question-group.ts'
import type { UpstreamServer } from '../../src/upstream/server.ts'
import type { ExchangeSettings, GroupConfig } from '../../src/upstream/settings.ts'
import { addressFor, attemptFor, Clock, startMs } from './parts.ts'
import { settings } from './support.ts'

const test = suite('upstream/group')

function configOf(
  ports: readonly number[],
  transport: UpstreamTransport = 'udp',
  changes: Partial<ExchangeSettings> = {},
): GroupConfig {
  const upstreams = ports.map((port) => addressFor(transport, port))
  return { name: 'test', upstreams, settings: { ...settings, ...changes } }
}

class Owner implements GroupOwner {
  readonly clock = new Clock()
  readonly context = this.clock.context
  readonly told: string[] = []
  readonly deferred: Deferred[] = []

  defer(what: Deferred): void {
    this.deferred.push(what)
  }

  onStateChange(
    _group: UpstreamGroup,
    { address }: UpstreamServer,
    up: boolean,
    why: string,
  ): void {
    this.told.push(`${address.port} ${up ? 'up' : 'down'} ${why}`)
  }

  onRecovered(group: UpstreamGroup): void {
    this.told.push(`${group.name} recovered`)
  }

  /** Undefined while the list is fixed. */
  looks: (() => void)[] | undefined

  lookForOthers(_group: UpstreamGroup, onLooked: () => void): boolean {
    return this.looks?.push(onLooked) !== undefined
  }
}

/** Of the test that runs: what is watched for without questions would keep its timers. */
const groups: UpstreamGroup[] = []
test.after.each(() => {
  for (const group of groups.splice(0)) group.stop()
})

function started(config: GroupConfig) {
  const owner = new Owner()
  const group = new UpstreamGroup(config, owner)
  groups.push(group)
  return { owner, group }
}

function takeDown(group: UpstreamGroup, ...ports: readonly number[]): void {
  for (const server of group.upstreams)
    if (ports.includes(server.address.port))
      for (let i = 0; i < 2; i++) server.noteFailure('refused', startMs)
}

/** Ports that are chosen in 100 draws. */
function chosen(group: UpstreamGroup): Set<number | undefined> {
  return new Set(Array.from({ length: 100 }, () => group.firstChoice(startMs)?.address.port))
}

test('an order is an order, whatever the transport, and equals are drawn alike', () => {
  for (const transport of ['udp', 'tcp', 'tls'] as const) {
    const first = chosen(started(configOf([1, 2], transport, { policy: 'sequential' })).group)
    assert.equal(first, new Set([1]))
    for (const policy of ['spread', 'random', 'round_robin'] as const) {
      const all = chosen(started(configOf([1, 2], transport, { policy })).group)
      assert.equal(all, new Set([1, 2]), `${policy} over ${transport}`)
    }
  }
})

test('round_robin takes turns question by question', () => {
  const { group } = started(configOf([1, 2, 3], 'udp', { policy: 'round_robin' }))
  const ports = Array.from({ length: 4 }, () => group.firstChoice(startMs)?.address.port)
  assert.equal(ports, [2, 3, 1, 2])
})

test('an order knows who comes before whom, equals do not', () => {
  const { group } = started(configOf([1, 2]))
  const [one, two] = group.upstreams
  if (one === undefined || two === undefined) throw new Error('two are configured')
  assert.equal(
    [group.comesBefore(one, two), group.comesBefore(two, one), group.comesBefore(one, one)],
    [true, false, false],
  )
  group.reconfigure(configOf([1, 2], 'udp', { policy: 'random' }))
  assert.equal([group.isOrdered, group.comesBefore(one, two)], [false, false])
  group.reconfigure(configOf([2]))
  assert.is(group.comesBefore(one, two), false, 'it is gone')
})

test('one that is down is passed over, and one that was tried is not the other choice', () => {
  const { group } = started(configOf([1, 2, 3]))
  takeDown(group, 1)
  assert.is(group.firstChoice(startMs)?.address.port, 2)
  const [, second, third] = group.upstreams
  assert.is(group.otherChoice(second === undefined ? [] : [second]), third)
  assert.is(group.otherChoice(group.upstreams), undefined)
})

test('when all are dead all are asked, in order, without a ration', () => {
  const { group } = started(configOf([1, 2]))
  takeDown(group, 1, 2)
  assert.is(group.isDown, true)
  for (let i = 0; i < 100; i++) assert.is(group.firstChoice(startMs)?.address.port, 1)
  const [first] = group.upstreams
  assert.is(group.otherChoice(first === undefined ? [] : [first])?.address.port, 2)
})

test('silence may last less long when all are dead', () => {
  const { owner, group } = started(configOf([1, 2]))
  takeDown(group, 1)
  assert.is(group.silenceMs, 3000)
  takeDown(group, 2)
  assert.is(group.silenceMs, 1000)
  owner.clock.nowMs = startMs + 2500
  assert.is(group.silenceMs, 3000, 'proof grows old')
})

test('only the return of one that others stand in for, in an order, is watched for without questions', () => {
  const pendingAfter = (config: ReturnType<typeof configOf>) => {
    const { owner, group } = started(config)
    takeDown(group, 1)
    const { pending } = owner.clock.context.wheel
    group.stop()
    return [pending, owner.clock.context.wheel.pending]
  }
  assert.equal(pendingAfter(configOf([1, 2])), [1, 0])
  assert.equal(pendingAfter(configOf([1])), [0, 0])
  const equals = configOf([1, 2])
  const settings = { ...equals.settings, policy: 'spread' } as const
  assert.equal(pendingAfter({ ...equals, settings }), [0, 0])
})

test('changes of state are told', () => {
  const { owner, group } = started(configOf([1, 2]))
  takeDown(group, 1, 2)
  assert.equal(owner.told, ['1 down refused', '2 down refused'])
})

test('a sign of life after an outage is a recovery, once', () => {
  const { owner, group } = started(configOf([1]))
  group.onSignOfLife(true, startMs)
  assert.equal(owner.told, [])
  group.noteOutage()
  group.onSignOfLife(false, startMs)
  group.onSignOfLife(true, startMs)
  assert.equal(owner.told, ['test recovered'])
})

test('answers and mere signs of life are patience of their own', () => {
  const { group } = started(configOf([1]))
  const ends = (mayRecurse: boolean) => group.patience.endsMs({ startMs, mayRecurse }, 1000)
  group.onSignOfLife(false, startMs + 500)
  assert.equal([ends(true), ends(false)], [startMs + 1500, startMs + 1000])
  group.onSignOfLife(true, startMs + 700)
  assert.equal([ends(true), ends(false)], [startMs + 1700, startMs + 1700])
})

test('a reload keeps the upstreams that stay, in their new order, and retires the others', () => {
  // No socket may be opened.
  const udp = { socketsMax: 0, queueMax: 0 }
  const { group } = started(configOf([1, 2], 'udp', { udp }))
  const [one, two] = group.upstreams
  takeDown(group, 2)
  group.reconfigure(configOf([2, 3], 'udp', { udp }))
  assert.is(group.upstreams[0], two)
  assert.is(two?.isUp, false, 'with its health')
  assert.equal(
    group.upstreams.map(({ address }) => address.port),
    [2, 3],
  )
  const send = (server?: UpstreamServer) => server?.send(attemptFor(server))
  assert.equal([send(one), send(two)], ['closed', 'overloaded'], 'one is retired')
})

test('a reload gives new settings to group and upstreams, and its policy', () => {
  const { group } = started(configOf([1, 2]))
  const hedge = { minMs: 1, maxMs: 2, percentile: 50 }
  group.reconfigure(configOf([1, 2], 'udp', { hedge, policy: 'spread' }))
  assert.is(group.settings.hedge, hedge)
  assert.is(group.upstreams[0]?.hedgeDelay.delayMs, 2)
  assert.equal(chosen(group), new Set([1, 2]))
})

test('what a budget does not cover is refused and counted; a budget of nothing ends', () => {
  const { group } = started(configOf([1], 'udp', { retryBudgetPercent: 0 }))
  let spent = 0
  while (group.spend(group.hedges) && spent < 1000) spent += 1
  assert.ok(spent > 0 && spent < 1000, `${spent}`)
  assert.is(group.counters.budgetRefusals, 1)
  assert.is(group.spend(group.hedges), false)
  assert.is(group.counters.budgetRefusals, 2)
  assert.is(group.spend(group.failovers), true, 'that is another budget')
})

test('a reload changes what a question earns for hedges, and a third of it for fail-over', () => {
  const { group } = started(configOf([1], 'udp', { retryBudgetPercent: 0 }))
  group.reconfigure(configOf([1], 'udp', { retryBudgetPercent: 100 }))
  for (const [budget, questions] of [
    [group.hedges, 1],
    [group.failovers, 4],
  ] as const) {
    for (let i = 0; i < 100; i++) group.spend(budget)
    for (let i = 0; i < questions; i++) budget.earn(startMs)
    assert.equal([group.spend(budget), group.spend(budget)], [true, false])
  }
})

const unlinked = { previous: undefined, next: undefined }

test('when all are down the list is looked at once, and questions are told when that is over', () => {
  const { owner, group } = started(configOf([1, 2]))
  const told: string[] = []
  const fail = () => undefined
  group.questions.add({
    ...unlinked,
    deliver: fail,
    fail,
    onRegrouped: () => told.push('regrouped'),
  })
  assert.is(group.awaitsOthers(), false, 'the list is fixed')
  const looks: (() => void)[] = []
  owner.looks = looks
  takeDown(group, 1)
  assert.is(looks.length, 0)
  takeDown(group, 2)
  assert.equal([looks.length, group.awaitsOthers(), looks.length], [1, true, 1])
  looks.pop()?.()
  assert.equal([told, group.awaitsOthers(), looks.length], [['regrouped'], false, 0])
  owner.clock.nowMs = startMs + 50
  assert.equal([group.awaitsOthers(), looks.length], [true, 1])
})

test('questions that end leave the group, those that have not are failed when it stops', () => {
  const { owner, group } = started(configOf([1]))
  const told: string[] = []
  const questionOf = (name: string): OpenQuestion => ({
    ...unlinked,
    deliver: () => told.push(`${name} delivered`),
    fail: (why) => told.push(`${name} ${why}`),
    onRegrouped: () => told.push(`${name} regrouped`),
  })
  const [ended, open] = [questionOf('ended'), questionOf('open')]
  group.questions.add(ended)
  group.questions.add(open)
  group.end(ended)
  group.defer(open)
  assert.equal(owner.deferred, [open])
  group.stop()
  assert.equal(told, ['open shutdown'])
})

test.run()
