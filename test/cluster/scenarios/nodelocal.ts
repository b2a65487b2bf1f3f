/**
 * NodeLocal DNSCache's way, for comparison: a CoreDNS with its Corefile on the same addresses, and its rules, which stay when it is killed.
 * Measured with the same load, not judged.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { processesOf } from '../deployment.ts'
import type { Lab } from '../lab.ts'
import { configDirectory, kubeDnsIp, linkLocal } from '../layout.ts'
import { pause, waitFor } from '../run.ts'
import type { Scenario } from '../scenario.ts'

const daemonSet = 'daemonset/node-local-dns'
const selector = 'k8s-app=node-local-dns-compared'

export const nodelocal: readonly Scenario[] = [
  {
    // What CoreDNS alone can take on this machine: more than that is no cache's to lose.
    name: 'nodelocal-absent',
    what: 'no cache at all: pods ask CoreDNS',
    setting: 'nothing',
    addresses: [kubeDnsIp],
    act: () => pause(5000),
  },
  {
    name: 'nodelocal-sigkill',
    what: "NodeLocal's way: SIGKILL of the cache",
    setting: 'nothing',
    before: install,
    act: async (lab) => {
      await killIt(lab)
      await isBack(lab)
    },
    after: uninstall,
  },
  {
    name: 'nodelocal-sigkill-again',
    what: "NodeLocal's way: killed a third time within a minute",
    setting: 'nothing',
    before: async (lab) => {
      await install(lab)
      for (let n = 0; n < 2; n++) {
        await killIt(lab)
        await isBack(lab)
      }
    },
    act: async (lab) => {
      await killIt(lab)
      await isBack(lab)
    },
    after: uninstall,
  },
  {
    name: 'nodelocal-upgrade',
    what: "NodeLocal's way: DaemonSet rolled out anew",
    setting: 'nothing',
    before: install,
    act: async (lab) => {
      await lab.cluster.kubectl.run(['-n', 'kube-system', 'rollout', 'restart', daemonSet])
      await lab.cluster.kubectl.mustBeRolledOut(daemonSet, 90)
      await isBack(lab)
    },
    after: uninstall,
  },
]

async function install(lab: Lab): Promise<void> {
  // node-cache makes a dummy link, which not every kernel has; the addresses are as local on the loopback.
  for (const address of [linkLocal, kubeDnsIp]) {
    await lab.node.must(['ip', 'address', 'add', `${address}/32`, 'dev', 'lo'])
  }
  for (const rule of rules()) await lab.node.must(['iptables', '-w', '-I', ...rule])
  const text = readFileSync(join(configDirectory, 'nodelocal.yaml'), 'utf8')
  await lab.cluster.kubectl.apply(text)
  await lab.cluster.kubectl.mustBeRolledOut(daemonSet, 90)
  await isBack(lab)
}

async function uninstall(lab: Lab): Promise<string[]> {
  const text = readFileSync(join(configDirectory, 'nodelocal.yaml'), 'utf8')
  await lab.cluster.kubectl.run(['delete', '-f', '-'], { stdin: text })
  for (const rule of rules()) await lab.node.must(['iptables', '-w', '-D', ...rule])
  for (const address of [linkLocal, kubeDnsIp]) {
    await lab.node.must(['ip', 'address', 'delete', `${address}/32`, 'dev', 'lo'])
  }
  return []
}

/** The rules of node-cache, by address and protocol, in the order table chain match target. */
function rules(): string[][] {
  const toUs = (address: string, protocol: string) => [
    ...['-p', protocol, '-d', address, '--dport', '53'],
  ]
  const fromUs = (address: string, protocol: string) => [
    ...['-p', protocol, '-s', address, '--sport', '53'],
  ]
  return [linkLocal, kubeDnsIp].flatMap((address) =>
    ['tcp', 'udp'].flatMap((protocol) => [
      ['PREROUTING', '-t', 'raw', ...toUs(address, protocol), '-j', 'NOTRACK'],
      ['INPUT', '-t', 'filter', ...toUs(address, protocol), '-j', 'ACCEPT'],
      ['OUTPUT', '-t', 'raw', ...fromUs(address, protocol), '-j', 'NOTRACK'],
      ['OUTPUT', '-t', 'filter', ...fromUs(address, protocol), '-j', 'ACCEPT'],
      ['OUTPUT', '-t', 'raw', ...toUs(address, protocol), '-j', 'NOTRACK'],
    ]),
  )
}

async function killIt(lab: Lab): Promise<void> {
  const path = '{.items[0].status.containerStatuses[0].containerID}'
  const args = ['-n', 'kube-system', 'get', 'pods', '-l', selector, '-o', `jsonpath=${path}`]
  const id = await lab.cluster.kubectl.run(args)
  for (const pid of processesOf(id.replace('containerd://', ''))) process.kill(pid, 'SIGKILL')
  await pause(500)
}

async function isBack(lab: Lab): Promise<void> {
  await waitFor('the cache', 120, async () => {
    const url = `http://${linkLocal}:8080/health`
    const { stdout } = await lab.node.inNetwork(['curl', '-s', '--max-time', '1', url])
    return stdout.includes('OK')
  })
}
