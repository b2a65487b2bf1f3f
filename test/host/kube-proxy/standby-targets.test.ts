// Goal: the standby leads to pods or is said to be unknown, never to a guess. Method: saved rules of a real kube-proxy, scripted nftables.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Endpoint } from '../../../src/config/address.ts'
import type { KubeProxyMode } from '../../../src/host/facts.ts'
import { findStandby, type StandbyWanted } from '../../../src/host/kube-proxy/standby-targets.ts'
import { replayedNftables } from '../replayed-nftables.ts'
import { said, scriptedRun } from '../scripted-run.ts'

const test = suite('host/kube-proxy/standby-targets')

const saved = readFileSync(
  new URL('../../fixtures/kube-proxy/iptables-nat-1.37.2.txt', import.meta.url),
  'utf8',
)
const service: Endpoint = { address: '10.96.0.10', port: 53, family: 4 }
const service6: Endpoint = { address: 'fd96::a', port: 53, family: 6 }
const nobody: StandbyWanted = {
  services: [],
  isClusterIp: () => true,
  isListening: async () => false,
}
const legacy = {
  run: async () => said(saved),
  nftables: undefined,
  kubeProxy: 'iptables',
  variant: 'legacy',
} as const

test('an address without rules is a target when somebody listens there, but never where it is a ClusterIP for certain', async () => {
  const unknown = { ...service, address: '10.244.7.7' }
  const find = (isClusterIp: boolean, isThere: boolean, kubeProxy: KubeProxyMode = 'iptables') =>
    findStandby(
      { ...legacy, kubeProxy },
      {
        services: [unknown],
        isClusterIp: () => isClusterIp,
        isListening: async () => isThere,
      },
    )
  assert.equal((await find(false, true)).targets, [unknown])
  assert.equal(await find(false, false), {
    targets: [],
    gaps: ['10.244.7.7:53: kube-proxy (iptables) has no rules for it, and nobody listens there'],
  })
  assert.equal((await find(true, true)).targets, [])
  assert.match((await find(true, true)).gaps.join(), 'the Service at 10.244.7.7:53')
  assert.equal((await find(false, true, 'unreadable')).targets, [], 'rules could lead anywhere')
  assert.equal((await find(true, false, 'ipvs')).targets, [unknown], 'IPVS translates behind us')
  assert.match((await find(true, false, 'none')).gaps.join(), 'there is no kube-proxy')
})

test('the first Service that has pods is the standby; what came before it is no gap then', async () => {
  const services = [{ ...service, address: '10.96.0.98' }, service]
  const { targets, gaps } = await findStandby(legacy, { ...nobody, services })
  assert.equal([targets.length, gaps], [2, []])
})

test('each family finds its own pods, and they come in the same order each time', async () => {
  const source = {
    run: scriptedRun().run,
    nftables: replayedNftables('kube-proxy-nftables-1.37.2'),
    kubeProxy: 'nftables',
    variant: undefined,
  } as const
  const find = async (...services: readonly Endpoint[]) =>
    (await findStandby(source, { ...nobody, services })).targets.map(({ address }) => address)
  const all = ['10.78.0.2', '10.78.0.3', 'fd78::2', 'fd78::3']
  assert.equal(await find(service, service6), all)
  assert.equal(await find(service6, service), all)
  assert.equal(await find(service6), all.slice(2))
})

test('a kube-proxy that is changing its mode is read in both, whichever was seen last', async () => {
  for (const capture of ['kube-proxy-nftables-1.37.2', 'kube-proxy-iptables-1.37.2-trixie']) {
    for (const kubeProxy of ['nftables', 'iptables'] as const) {
      const nftables = replayedNftables(capture)
      const source = { run: scriptedRun().run, nftables, kubeProxy, variant: 'nft' } as const
      const { targets } = await findStandby(source, { ...nobody, services: [service] })
      assert.is(targets.length, 2, `${capture} as ${kubeProxy}`)
    }
  }
})

test('rules of iptables-legacy are read with its own program, once for each family', async () => {
  const { run, ran } = scriptedRun({ 'iptables-legacy-save': said(saved) })
  const services = [{ ...service, address: '10.96.0.98' }, service, service6]
  const { targets, gaps } = await findStandby({ ...legacy, run }, { ...nobody, services })
  assert.is(targets.length, 2)
  assert.equal(gaps, ['the Service at [fd96::a]:53: kube-proxy (iptables) has no rules for it'])
  assert.equal(ran, ['iptables-legacy-save -t nat', 'ip6tables-legacy-save -t nat'])
})

test('a kernel without nftables leaves its save program for the rules of iptables-nft', async () => {
  const { run, ran } = scriptedRun({ 'iptables-nft-save': said(saved) })
  const source = { ...legacy, run, variant: undefined }
  const { targets } = await findStandby(source, { ...nobody, services: [service] })
  assert.equal([targets.length, ran], [2, ['iptables-nft-save -t nat']])
})

test('a Service without ready pods is reported as such, and no handshake is tried', async () => {
  const chain = '-A KUBE-SVC-TCOU7JCQXEZGVUNU '
  const empty = saved.split('\n').filter((line) => !line.startsWith(chain))
  let asked = 0
  const found = await findStandby(
    { ...legacy, run: async () => said(empty.join('\n')) },
    {
      services: [service],
      isClusterIp: () => false,
      isListening: async () => {
        asked += 1
        return true
      },
    },
  )
  assert.equal(found, { targets: [], gaps: ['the Service at 10.96.0.10:53 has no ready pod'] })
  assert.is(asked, 0)
})

test('rules that appear during the handshake win, because it may have met a pod', async () => {
  const nftables = replayedNftables('kube-proxy-nftables-1.37.2')
  let isThere = false
  const late = {
    ...nftables,
    element: async (...asked: Parameters<typeof nftables.element>) =>
      isThere ? await nftables.element(...asked) : undefined,
  }
  const source = { ...legacy, nftables: late, kubeProxy: 'nftables', variant: 'nft' } as const
  const { targets } = await findStandby(source, {
    services: [service],
    isClusterIp: () => false,
    isListening: async () => {
      isThere = true
      return true
    },
  })
  assert.equal(
    targets.map(({ address }) => address),
    ['10.78.0.2', '10.78.0.3'],
  )
})

test('without a Service to look for there is neither a target nor a gap', async () => {
  assert.equal(await findStandby(legacy, nobody), { targets: [], gaps: [] })
})

test.run()
