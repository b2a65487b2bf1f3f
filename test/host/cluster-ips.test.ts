// Goal: a ClusterIP is known by kube-proxy's rules or its IPVS link, and nothing else is taken for one. Method: a node that is written down.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { clusterIpsAmong } from '../../src/host/cluster-ips.ts'
import { said, scriptedRun } from './scripted-run.ts'

const test = suite('host/cluster-ips')

const candidates = ['169.254.7.7', '10.112.0.10'].map((address) => ({
  address,
  port: 53,
  family: 4 as const,
}))
const nobody = async () => ''

test('a Service in rules of iptables-legacy is known', async () => {
  const saved =
    '*nat\n-A KUBE-SERVICES -d 10.112.0.10/32 -p udp -m udp --dport 53 -j KUBE-SVC-X\nCOMMIT\n'
  const { run } = scriptedRun({ 'iptables-legacy-save': said(saved), ip: said('[]') })
  const tools = { run, readProc: nobody, nftables: 'none' }
  assert.equal(await clusterIpsAmong(tools, candidates), ['10.112.0.10'])
})

test('with IPVS the addresses of its link are known', async () => {
  const link = [
    {
      ifname: 'kube-ipvs0',
      linkinfo: { info_kind: 'dummy' },
      addr_info: [{ local: '10.112.0.10' }],
    },
  ]
  const { run } = scriptedRun({ ip: said(JSON.stringify(link)) })
  const tools = { run, readProc: nobody, nftables: 'none' }
  assert.equal(await clusterIpsAmong(tools, candidates), ['10.112.0.10'])
})

test('without candidates nothing is looked at', async () => {
  const { run, ran } = scriptedRun()
  assert.equal(await clusterIpsAmong({ run, readProc: nobody, nftables: 'none' }, []), [])
  assert.equal(ran, [])
})

test.run()
