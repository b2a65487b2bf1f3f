/** Goal: those who enforce network policies are recognised, ordinary nodes are not. Method: names and chains as such nodes have them. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { policyIn } from '../../src/kernel/policy.ts'

const test = suite('kernel/policy')

test('a node with bridge or flannel and kube-proxy has none', () => {
  const chains =
    '*filter\n:INPUT ACCEPT [0:0]\n:KUBE-FORWARD - [0:0]\n:FLANNEL-FWD - [0:0]\nCOMMIT\n'
  assert.is(policyIn(['lo', 'eth0', 'cni0', 'flannel.1', 'veth1234'], chains), undefined)
})

test('an interface tells', () => {
  const cases = [
    ['cilium_host', 'Cilium'],
    ['lxc0a1b2c', 'Cilium'],
    ['cali12345', 'Calico'],
    ['kube-bridge', 'kube-router'],
    ['antrea-gw0', 'Antrea'],
    ['ovn-k8s-mp0', 'OVN-Kubernetes'],
    ['weave', 'Weave Net'],
  ] as const
  for (const [name, who] of cases) assert.is(policyIn(['lo', name], ''), who, name)
})

test('a chain tells', () => {
  assert.is(policyIn(['veth1'], ':INPUT ACCEPT [0:0]\n:cali-INPUT - [0:0]\n'), 'Calico')
  assert.is(policyIn(['veth1'], ':KUBE-NWPLCY-DEFAULT - [0:0]\n'), 'kube-router')
  assert.is(policyIn(['azv1'], ':AZURE-NPM - [0:0]\n'), 'Azure NPM')
})

test.run()
