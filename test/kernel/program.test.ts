/**
 * Goal: the program answers as the daemon would have, byte for byte, or changes nothing. Method: it runs on frames in the real kernel
 * (BPF_PROG_TEST_RUN) beside the pipeline with the same cache: plain questions, mutants, frames with a broken header.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readTable } from '../../src/kernel/program.ts'
import { chooseSeed, packetCount } from '../fuzz/campaign.ts'
import { Random } from '../fuzz/random.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import { needing } from '../support/needs.ts'
import { Differential } from './differential.ts'
import { frame, serverV4 } from './frames.ts'
import { builtTable } from './table.ts'

export const testTimeoutMs = 120_000

const test = needing(suite('kernel/program'), 'root', 'tcx', 'clang', 'setpriv')
const seed = chooseSeed()
/** `npm run test:kernel-long` has a million. */
const questions = packetCount(9000)
let world: Differential

test.before(async () => {
  world = new Differential(builtTable())
  // The answer of the cluster waits for its first moments to pass.
  while (world.shadow.entries < world.knownNames) await new Promise((r) => setTimeout(r, 20))
})

test.after(() => world.close())

const families = [4, 6] as const

test(`plain questions get the daemon's replies, all from the kernel (seed ${seed})`, () => {
  const random = new Random(seed)
  for (let i = 0; i < questions / 3; i++) {
    if (i % 20_000 === 0) world.learn()
    const family = families[i % 2] as 4 | 6
    const noSum = family === 4 && random.below(4) === 0
    // In a long run an answer of the cluster expires.
    assert.ok(world.check({ family, dns: world.plain(random), noSum }) || questions > 9000)
  }
})

test(`mutants of all fixtures get the daemon's replies, or go on untouched (seed ${seed})`, () => {
  const random = new Random(seed)
  const mutator = world.mutator(random)
  const before = { ...world.counts }
  for (let i = 0; i < (2 * questions) / 3; i++) {
    if (i % 20_000 === 0) world.learn()
    mutator.next()
    const dns = Buffer.from(mutator.packet.subarray(0, Math.min(mutator.packetBytes, 1400)))
    world.check({ family: families[i % 2] as 4 | 6, dns })
  }
  assert.ok(world.counts.passed > before.passed)
  assert.ok(world.counts.answered > before.answered)
})

const odd: Readonly<Record<string, Buffer>> = {
  'without RD': writeQuery('www.example', 'A', { rd: false }),
  'with CD': writeQuery('www.example', 'A', { cd: true }),
  'with DO': writeQuery('www.example', 'A', { ednsBytes: 1232, do: true }),
  'with bytes behind it': Buffer.concat([writeQuery('www.example', 'A'), Buffer.alloc(1)]),
  'of another type': writeQuery('www.example', 'MX'),
  'of a longer name': writeQuery('a.www.example', 'A'),
  'of a name that ends like one': writeQuery('ww.example', 'A'),
  'of class CH': Buffer.concat([writeQuery('www.example', 'A').subarray(0, -2), Buffer.of(0, 3)]),
}

for (const [what, dns] of Object.entries(odd)) {
  test(`a question ${what} goes on untouched`, () => {
    for (const family of families) world.checkPassed(frame({ family, dns }))
  })
}

test('source ports of servers, other addresses and other ports go on untouched', () => {
  const dns = writeQuery('www.example', 'A')
  for (const family of families) {
    for (const port of [0, 7, 53, 1023]) world.checkPassed(frame({ family, dns, port }))
    world.checkPassed(frame({ family, dns, to: 54 }))
    const other = frame({ family, dns })
    other[family === 4 ? 33 : 53] = 0xfe
    world.checkPassed(other)
  }
})

test('fragments, options, wrong lengths and odd sources go on untouched', () => {
  const dns = writeQuery('www.example', 'A')
  const changed = (family: 4 | 6, at: number, ...octets: readonly number[]) => {
    const wire = frame({ family, dns })
    wire.set(octets, at)
    return wire
  }
  const v4: readonly (readonly number[])[] = [
    [14, 0x46], // an option
    [14, 0x55], // version 5
    [20, 0x20], // more fragments follow
    [21, 0x01], // a later fragment
    [17, 0x40], // IP length
    [23, 6], // TCP
    [39, 0x20], // UDP length
    [26, 127],
    [26, 0],
    [26, 224],
    [26, ...serverV4], // from ourselves
    [6, 0x03], // from a multicast MAC
    [0, 0x01], // to a multicast MAC
    [12, 0x81, 0x00], // a VLAN
  ]
  for (const [at = 0, ...octets] of v4) world.checkPassed(changed(4, at, ...octets))
  const v6: readonly (readonly number[])[] = [
    [14, 0x40], // version 4
    [20, 44], // a fragment
    [20, 0], // hop-by-hop options
    [19, 0x20], // IP length
    [59, 0x20], // UDP length
    [60, 0, 0], // no sum
    [22, 0xff],
  ]
  for (const [at = 0, ...octets] of v6) world.checkPassed(changed(6, at, ...octets))
})

test('a frame of any length that is cut short goes on untouched', () => {
  for (const family of families) {
    const whole = frame({ family, dns: writeQuery('www.example', 'A') })
    for (let length = family === 4 ? 34 : 54; length < whole.length; length++) {
      world.checkPassed(whole.subarray(0, length))
    }
  }
})

test('without a lease everything goes on untouched', () => {
  const dns = writeQuery('www.example', 'A')
  world.shadow.suspend()
  for (const family of families) world.checkPassed(frame({ family, dns }))
  world.shadow.round()
  assert.ok(world.check({ family: 4, dns }))
})

test('what is taken back goes on untouched, at once', () => {
  const dns = writeQuery('www.example', 'A')
  assert.ok(world.check({ family: 4, dns }))
  world.shadow.clear()
  world.checkPassed(frame({ family: 4, dns }))
  world.learn()
})

test('CAP_BPF and CAP_NET_ADMIN are enough', () => {
  const path = join(tmpdir(), `neardns-hit-program-${process.pid}.json`)
  writeFileSync(path, JSON.stringify(builtTable()))
  assert.ok(readTable(new URL(`file://${path}`)))
  const script = `
    const { loadProgram, readTable } = await import(${JSON.stringify(new URL('../../src/kernel/program.ts', import.meta.url).href)})
    const { loadSystemCalls } = await import(${JSON.stringify(new URL('../../src/system/system-calls.ts', import.meta.url).href)})
    const table = readTable(new URL('file://${path}'))
    console.log(loadProgram(loadSystemCalls(), table, { answersMax: 16, servers: 1 }).fd > 0)`
  const run = (...capabilities: readonly string[]) => {
    const set = ['-all', ...capabilities].join(',')
    const args = ['--bounding-set', set, '--inh-caps', '-all', process.execPath]
    return execFileSync('setpriv', [...args, '--input-type=module', '-e', script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  }
  assert.is(run('+bpf', '+net_admin'), 'true')
  assert.throws(() => run('+net_admin'))
})

test.run()
