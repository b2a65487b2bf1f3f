// Goal: pods that ask another address are told with their process. Method: made-up resolvers; real ones in test/real/doctor/faults.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { podFindings, podResolvers } from '../../../src/cli/doctor/pods.ts'
import { loadConfig } from '../../../src/config/load.ts'

const test = suite('cli/doctor/pods')

function configOf(listen: string) {
  const loaded = loadConfig({ file: { name: 'a.yaml', text: `listen: ["${listen}"]` } })
  if (!loaded.ok) throw new Error('a mistake in the test')
  return loaded.config
}

const pod = (pid: number, ...nameservers: string[]) => ({ pid, nameservers })

test('only the first name server counts, and three are named at the most', () => {
  const config = configOf('169.254.20.10:53')
  const astray = [5, 6, 7, 8].map((pid) => pod(pid, '10.96.0.10', '169.254.20.10'))
  const [found] = podFindings([pod(4, '169.254.20.10'), ...astray], config)
  assert.is(found?.state, 'fault')
  assert.is(
    found?.what,
    '4 of 5 do not ask neardns: process 5 asks 10.96.0.10, process 6 asks 10.96.0.10, process 7 asks 10.96.0.10, ...',
  )
})

test('pods that ask it are a tick; without pods, or on all addresses, nothing is said', () => {
  const asking = [pod(4, '169.254.20.10')]
  assert.is(podFindings(asking, configOf('169.254.20.10:53'))[0]?.state, 'ok')
  assert.equal(podFindings([], configOf('169.254.20.10:53')), [])
  assert.equal(podFindings([pod(4, '10.96.0.10')], configOf('0.0.0.0:53')), [])
})

test('processes of this network, and those outside of pods, are none', async () => {
  assert.not((await podResolvers('cluster.local')).some(({ pid }) => pid === process.pid))
})

test.run()
