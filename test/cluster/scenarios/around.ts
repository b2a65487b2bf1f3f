/**
 * What happens around neardns: kube-proxy, the kubelet and CoreDNS are restarted, switched, scaled.
 */
import type { Lab } from '../lab.ts'
import { pause } from '../run.ts'
import type { Scenario } from '../scenario.ts'

const deletedAfterSeconds = [1, 5, 60] as const

export const around: readonly Scenario[] = [
  { name: 'steady', what: 'nothing happens', act: () => pause(5000) },
  {
    name: 'kube-proxy-restarted',
    what: 'kube-proxy restarted',
    act: async (lab) => {
      await lab.restartKubeProxy()
      await pause(8000)
    },
  },
  {
    name: 'kube-proxy-mode-switched',
    what: 'kube-proxy started in its other mode',
    act: async (lab) => {
      await lab.restartKubeProxy(lab.otherMode())
      await pause(10_000)
    },
  },
  {
    name: 'deleted-after-mode-switch',
    what: 'DaemonSet deleted 5 s after kube-proxy was started in its other mode',
    before: async (lab) => {
      await lab.restartKubeProxy(lab.otherMode())
      await pause(5000)
    },
    act: (lab) => lab.deleteDaemonSet(),
  },
  {
    name: 'kubelet-restarted',
    what: 'kubelet restarted',
    act: async (lab) => {
      await lab.cluster.restart('kubelet')
      await pause(10_000)
    },
    after: neverRestarted,
  },
  { name: 'coredns-rolled', what: 'CoreDNS rolled out anew', act: (lab) => lab.rollOutCoredns() },
  {
    name: 'coredns-scaled-to-1',
    what: 'CoreDNS scaled from 2 to 1',
    act: async (lab) => {
      await lab.scaleCoredns(1)
      await pause(8000)
    },
  },
  ...deletedAfterSeconds.map(
    (seconds): Scenario => ({
      name: `deleted-${seconds}-s-after-coredns`,
      what: `DaemonSet deleted ${seconds} s after a roll-out of CoreDNS`,
      // The roll-out itself is another scenario's: its losses must not be counted here.
      before: (lab) => lab.rollOutCoredns(),
      act: async (lab) => {
        await pause(seconds * 1000)
        await lab.deleteDaemonSet()
      },
    }),
  ),
]

export async function neverRestarted(lab: Lab): Promise<string[]> {
  const { name, restarts } = await lab.neardns.pod()
  if (restarts === 0) return []
  const args = ['-n', 'kube-system', 'logs', '--previous', '--tail=6', name]
  const { stdout, stderr } = await lab.cluster.kubectl.try(args)
  return [`the container was restarted ${restarts} times; before: ${stdout}${stderr}`]
}
