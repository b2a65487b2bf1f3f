/**
 * Goal: with kernelHits.mode auto hits are answered at the pods' interfaces, counted and explained as the daemon's own, for new pods too, and
 * nothing of it outlives the daemon or its attention. Method: a daemon with CAP_BPF and CAP_NET_ADMIN alone, and pods, in namespaces.
 */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HitControl } from '../../../src/daemon/hits/hit-control.ts'
import { installTable } from '../../kernel/table.ts'
import { buildC } from '../../support/build.ts'
import { builtProgram } from '../../support/built-program.ts'
import { needing } from '../../support/needs.ts'
import { Child } from '../../support/process.ts'
import { Unbound } from '../../support/unbound.ts'
import type { Netns } from '../../support/world/netns.ts'
import { RoutedPods } from '../../support/world/routed-pods.ts'

export const testTimeoutMs = 180_000

const test = needing(
  suite('daemon/hits/hit-control'),
  'netns',
  'iptables',
  'tcx',
  'clang',
  'dig',
  'curl',
  'unbound',
  'setpriv',
  'gcc',
)

const run = promisify(execFile)
const repository = join(import.meta.dirname, '../../..')
const configPath = join(tmpdir(), `neardns-kernel-hits-${process.pid}.yaml`)
const waitMs = 30_000

let world: RoutedPods
let node: Netns
let pods: Netns[]
let upstream: Unbound
let daemon: Child

interface Dug {
  readonly ok: boolean
  readonly text: string
}

test.before(async () => {
  installTable()
  world = await RoutedPods.create()
  node = world.node
  pods = [await world.add(1)]
  upstream = await Unbound.start({
    address: '127.0.0.1',
    port: 5399,
    netns: node.name,
    zones: { 'www.test': ['A 192.0.2.1'], 'turns.test': ['AAAA 2001:db8::1', 'AAAA 2001:db8::2'] },
    ttlSeconds: 300,
  })
  writeConfig({})
  daemon = startDaemon()
  await daemon.line((line) => line.includes('"ready"'), waitMs)
})

test.after(async () => {
  await daemon.stop('SIGKILL')
  await upstream.stop()
  await world.remove()
})

function writeConfig(cache: object): void {
  const text = {
    listen: ['10.77.1.1:53', '[fd77:1::1]:53'],
    external: { upstreams: ['127.0.0.1:5399'] },
    kernelHits: { mode: 'auto' },
    admin: { listen: ['127.0.0.1:9253'], socket: 'none' },
    cache,
  }
  writeFileSync(configPath, JSON.stringify(text))
}

function startDaemon(): Child {
  const capabilities = ['-all', '+bpf', '+net_admin', '+net_bind_service'].join(',')
  const program = [process.execPath, builtProgram(), 'run', '--config', configPath]
  const args = ['--bounding-set', capabilities, '--inh-caps', '-all', ...program]
  return new Child('setpriv', args, { netns: node.name })
}

async function dig(pod: Netns | undefined, ...question: readonly string[]): Promise<Dug> {
  const args = ['netns', 'exec', pod?.name ?? '', 'dig', '+tries=1', '+time=1', ...question]
  try {
    return { ok: true, text: (await run('ip', args)).stdout }
  } catch (error) {
    return { ok: false, text: String(error) }
  }
}

async function metric(name: string): Promise<number> {
  const text = await node.exec('curl', '-s', 'http://127.0.0.1:9253/metrics')
  const line = text.split('\n').find((one) => one.startsWith(`${name} `))
  return Number(line?.split(' ').at(-1) ?? Number.NaN)
}

const attached = () => metric('neardns_kernel_hits_interfaces{state="attached"}')
const hits = () => metric('neardns_kernel_hits_total')

async function until(what: string, is: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + waitMs
  while (!(await is())) {
    if (performance.now() > endMs) throw new Error(`${what} did not happen: ${daemon.tail()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Asks until the kernel answers this. */
async function untilHit(pod: Netns | undefined, ...question: readonly string[]): Promise<Dug> {
  let last: Dug = { ok: false, text: '' }
  await until(`a hit on ${question.join(' ')}`, async () => {
    const before = await hits()
    last = await dig(pod, ...question)
    return (await hits()) > before
  })
  return last
}

test('it says that it is on, and where', async () => {
  assert.is(await metric('neardns_kernel_hits_on'), 1)
  assert.is(await attached(), 1)
  assert.type(HitControl, 'function')
})

test('hits come from the kernel, over both families, and are counted as the daemon would', async () => {
  const one = await untilHit(pods[0], '@10.77.1.1', 'wWw.test', 'A')
  assert.match(one.text, /status: NOERROR/)
  assert.match(one.text, /wWw\.test\.\s+\d+\s+IN\s+A\s+192\.0\.2\.1/)
  const two = await untilHit(pods[0], '@fd77:1::1', '+noedns', 'turns.test', 'AAAA')
  assert.match(two.text, /2001:db8::1/)
  assert.match(two.text, /2001:db8::2/)
  const requests =
    'coredns_dns_requests_total{server="dns://[fd77:1::1]:53",zone=".",view="",proto="udp",family="2",type="AAAA"}'
  await until('the count of all queries', async () => (await metric(requests)) >= 4)
})

test('replies get through whoever sums packets: transmit offload off at either end, both families, odd and even names', async () => {
  const source = join(repository, 'test/support/programs/tx-checksums.c')
  const program = await buildC(source, 'gcc')
  const setOffload = async (host: string, pod: string) => {
    assert.is((await node.exec(program, 'veth1', host)).trim(), host)
    assert.is((await pods[0]?.exec(program, 'eth0', pod))?.trim(), pod)
  }
  try {
    for (const [host, pod] of [
      ['off', 'on'],
      ['on', 'off'],
      ['off', 'off'],
    ] as const) {
      await setOffload(host, pod)
      for (const at of ['@10.77.1.1', '@fd77:1::1']) {
        for (const name of ['www.test', 'odd1.www.test']) {
          assert.ok((await untilHit(pods[0], at, '+edns', name, 'A')).ok, `${host} ${pod} ${at}`)
          // A reply with a wrong sum does not come.
          const again = await dig(pods[0], at, '+noedns', name, 'A')
          assert.match(again.text, /192\.0\.2\.1/, `${host} ${pod} ${at} ${name}`)
        }
      }
    }
  } finally {
    await setOffload('on', 'on')
  }
})

test('a pod that comes later has it, too', async () => {
  const pod = await world.add(2)
  pods.push(pod)
  await until('the second interface', async () => (await attached()) === 2)
  await untilHit(pod, '@10.77.1.1', 'www.test', 'A')
})

test('an interface with clsact is left to the programs of tc', async () => {
  await node.exec('tc', 'qdisc', 'add', 'dev', 'veth2', 'clsact')
  await until('the detachment', async () => (await attached()) === 1)
  const before = await hits()
  assert.ok((await dig(pods[1], '@10.77.1.1', 'www.test', 'A')).ok)
  assert.is(await hits(), before)
  await node.exec('tc', 'qdisc', 'del', 'dev', 'veth2', 'clsact')
  await until('the attachment', async () => (await attached()) === 2)
})

test('what it answers, no rule of iptables sees: the daemon would not have been asked', async () => {
  await untilHit(pods[0], '@10.77.1.1', 'www.test', 'A')
  const rule = ['INPUT', '-i', 'veth1', '-p', 'udp', '--dport', '53', '-j', 'DROP']
  await node.exec('iptables', '-w', '-A', ...rule)
  await untilHit(pods[0], '@10.77.1.1', 'www.test', 'A')
  assert.not.ok((await dig(pods[0], '@10.77.1.1', 'other.test', 'A')).ok)
  await node.exec('iptables', '-w', '-D', ...rule)
})

test('a reload takes everything back, and it comes again', async () => {
  await untilHit(pods[0], '@10.77.1.1', 'www.test', 'A')
  writeConfig({ rotate: false })
  process.kill(daemon.pid, 'SIGHUP')
  await daemon.line((line) => /reload|configuration/.test(line) && line.includes('applied'), waitMs)
  await untilHit(pods[0], '@10.77.1.1', 'www.test', 'A')
})

test('a daemon that stands still is not answered for any more when its lease has ended', async () => {
  await untilHit(pods[0], '@10.77.1.1', 'www.test', 'A')
  process.kill(daemon.pid, 'SIGSTOP')
  try {
    await until(
      'the end of the lease',
      async () => !(await dig(pods[0], '@10.77.1.1', 'www.test', 'A')).ok,
    )
  } finally {
    process.kill(daemon.pid, 'SIGCONT')
  }
  await untilHit(pods[0], '@10.77.1.1', 'www.test', 'A')
})

test('nothing is left of it after SIGKILL', async () => {
  const system = JSON.stringify(join(repository, 'src/system'))
  const script = `
    const { countTcx, TcxSide } = await import(${system} + '/bpf.ts')
    const { loadSystemCalls } = await import(${system} + '/system-calls.ts')
    const { readFileSync } = await import('node:fs')
    console.log(countTcx(loadSystemCalls(), Number(process.argv[1]), TcxSide.ingress))`
  const link = JSON.parse(await node.ip('-j', 'link', 'show', 'veth1'))[0] as { ifindex: number }
  const count = async () =>
    Number(
      await node.exec(process.execPath, '--input-type=module', '-e', script, String(link.ifindex)),
    )
  assert.is(await count(), 1)
  await daemon.stop('SIGKILL')
  await until('the detachment', async () => (await count()) === 0)
})

test.run()
