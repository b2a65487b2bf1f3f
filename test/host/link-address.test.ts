// Goal: the init container may run any number of times on any node and leaves exactly one address.
// Method: a scripted `ip` for the decisions, the real one in a network namespace for the effect.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ensureLinkAddress, type IpResult, type RunIp } from '../../src/host/link-address.ts'
import { needing } from '../support/needs.ts'
import { Netns } from '../support/netns.ts'
import { runToEnd } from '../support/process.ts'

const test = suite('host/link-address')

/** Answers by the first scripted line that the command starts with; success with no output otherwise. */
function scripted(script: Readonly<Record<string, IpResult>>): { ip: RunIp; ran: string[] } {
  const ran: string[] = []
  const ip: RunIp = async (args) => {
    const line = args.join(' ')
    ran.push(line)
    const key = Object.keys(script).find((prefix) => line.startsWith(prefix))
    return (key === undefined ? undefined : script[key]) ?? { ok: true, stdout: '' }
  }
  return { ip, ran }
}

const failed = (stderr: string): IpResult => ({ ok: false, stderr })

test('a node without the address gets it on a dummy link', async () => {
  const { ip, ran } = scripted({})
  const outcome = await ensureLinkAddress(ip, '169.254.20.10')
  assert.equal(outcome, { kind: 'added', link: 'nodelocaldns', note: '' })
  assert.equal(ran.slice(1), [
    'link add dev nodelocaldns type dummy',
    'address replace 169.254.20.10/32 dev nodelocaldns',
  ])
})

test('a node that has the address is left as it is', async () => {
  const stdout = '3: br0    inet 169.254.20.10/32 scope global br0\\       valid_lft forever'
  const { ip, ran } = scripted({ '-oneline address show': { ok: true, stdout } })
  assert.equal(await ensureLinkAddress(ip, '169.254.20.10'), { kind: 'present', link: 'br0' })
  assert.is(ran.length, 1)
})

test('a link that exists without the address gets it', async () => {
  const { ip } = scripted({ 'link add': failed('RTNETLINK answers: File exists') })
  const outcome = await ensureLinkAddress(ip, '169.254.20.10', 'nld')
  assert.equal(outcome, { kind: 'added', link: 'nld', note: '' })
})

test('a kernel without dummy links gets the address on lo and is told why', async () => {
  const { ip, ran } = scripted({
    'link add': failed('Error: Unknown device type.'),
    'link show': failed('Device "nodelocaldns" does not exist.'),
  })
  const outcome = await ensureLinkAddress(ip, 'fd00::10')
  assert.equal(outcome, {
    kind: 'added',
    link: 'lo',
    note: 'no dummy link (Error: Unknown device type.), used lo',
  })
  assert.is(ran.at(-1), 'address replace fd00::10/128 dev lo')
})

test('a refused address is reported with what ip said', async () => {
  const { ip } = scripted({ 'address replace': failed('Operation not permitted') })
  assert.equal(await ensureLinkAddress(ip, '169.254.20.10'), {
    kind: 'failed',
    why: 'ip address replace on nodelocaldns: Operation not permitted',
  })
})

test.run()

const real = needing(suite('host/link-address in a network namespace'), 'netns')

real('two runs leave one address that can be bound', async () => {
  const netns = await Netns.create('link')
  try {
    const ip: RunIp = async (args) => {
      const { code, output } = await runToEnd('ip', ['-n', netns.name, ...args])
      return code === 0 ? { ok: true, stdout: output } : { ok: false, stderr: output }
    }
    const first = await ensureLinkAddress(ip, '169.254.20.10')
    assert.is(first.kind, 'added', JSON.stringify(first))
    const second = await ensureLinkAddress(ip, '169.254.20.10')
    assert.equal(second, { kind: 'present', link: first.kind === 'added' ? first.link : '' })
    const shown = await netns.ip('-4', '-oneline', 'address', 'show', 'to', '169.254.20.10')
    assert.is(shown.trim().split('\n').length, 1, shown)
    const bind =
      "require('dgram').createSocket('udp4').bind(53,'169.254.20.10',function(){this.close()})"
    await netns.exec(process.execPath, '-e', bind)
  } finally {
    await netns.remove()
  }
})

real.run()
