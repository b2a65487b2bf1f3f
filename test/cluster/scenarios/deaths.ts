/**
 * The daemon ends or hangs: killed, out of memory, stopped, its whole container killed at once.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupOf } from '../deployment.ts'
import type { Lab } from '../lab.ts'
import { pause, startDetached } from '../run.ts'
import type { Scenario } from '../scenario.ts'

/** The hang lasts longer than every lease, and less than the liveness probe takes to end the pod. */
const stoppedMs = 8000

export const deaths: readonly Scenario[] = [
  {
    name: 'sigkill',
    what: 'SIGKILL of the daemon',
    act: async (lab) => {
      process.kill(await lab.neardns.daemonPid(), 'SIGKILL')
      await backAgain(lab)
    },
    after: restartedOnce,
  },
  {
    name: 'sigkill-iptables-backend',
    what: 'SIGKILL of the daemon, `interception.mode: iptables`',
    setting: 'iptables-backend',
    act: async (lab) => {
      process.kill(await lab.neardns.daemonPid(), 'SIGKILL')
      await backAgain(lab)
    },
    after: restartedOnce,
  },
  {
    name: 'all-killed',
    what: 'every process of the container killed at once',
    act: async (lab) => {
      for (const pid of await lab.neardns.processes()) killQuietly(pid)
      await backAgain(lab)
    },
    after: restartedOnce,
  },
  {
    name: 'all-killed-supervised',
    what: 'every process of the container killed at once, `supervisor: always`',
    setting: 'supervised',
    act: async (lab) => {
      for (const pid of await lab.neardns.processes()) killQuietly(pid)
      await backAgain(lab)
    },
    after: restartedOnce,
  },
  {
    name: 'oom',
    what: 'killed by the kernel: out of memory in its cgroup',
    act: async (lab) => {
      await runOutOfMemory(lab)
      await backAgain(lab)
    },
    after: async (lab) => [...(await restartedOnce(lab)), ...(await wasOutOfMemory(lab))],
  },
  {
    name: 'sigstop',
    what: `SIGSTOP for ${stoppedMs / 1000} s, then SIGCONT`,
    act: async (lab) => {
      const pid = await lab.neardns.daemonPid()
      process.kill(pid, 'SIGSTOP')
      await pause(stoppedMs)
      process.kill(pid, 'SIGCONT')
      await pause(4000)
      await lab.waitUntilServing()
    },
  },
]

/** Until the kubelet has started the container again. */
async function backAgain(lab: Lab): Promise<void> {
  await pause(2000)
  await lab.waitUntilServing()
}

async function restartedOnce(lab: Lab): Promise<string[]> {
  const { restarts } = await lab.neardns.pod()
  return restarts === 1 ? [] : [`the container was restarted ${restarts} times instead of once`]
}

/**
 * Leaves the cgroup a few MiB and lets another process in it take them. The kernel kills whom it finds worst, and that is made to be the
 * daemon: the other one stands for memory that the daemon itself would have asked for.
 */
async function runOutOfMemory(lab: Lab): Promise<void> {
  const pid = await lab.neardns.daemonPid()
  const cgroup = cgroupOf(pid, 'memory')
  writeFileSync(`/proc/${pid}/oom_score_adj`, '1000')
  const file = (v1: string, v2: string) => join(cgroup, cgroup.includes('/memory/') ? v1 : v2)
  const usage = Number(readFileSync(file('memory.usage_in_bytes', 'memory.current'), 'utf8'))
  const roomBytes = 8 * 1024 * 1024
  writeFileSync(file('memory.limit_in_bytes', 'memory.max'), String(usage + roomBytes))
  const hog = startDetached(
    ['sh', '-c', 'sleep 1; head -c 400m /dev/zero | tail -c 400m >/dev/null'],
    '/dev/null',
  )
  appendFileSync(join(cgroup, 'cgroup.procs'), String(hog))
  const deadlineMs = performance.now() + 15_000
  while (readQuietly(`/proc/${pid}/stat`) !== '' && performance.now() < deadlineMs) await pause(5)
  killQuietly(-hog)
}

async function wasOutOfMemory(lab: Lab): Promise<string[]> {
  const { name } = await lab.neardns.pod()
  const path = '{.status.containerStatuses[0].lastState.terminated.reason}'
  const args = ['-n', 'kube-system', 'get', 'pod', name, '-o', `jsonpath=${path}`]
  const reason = await lab.cluster.kubectl.run(args)
  return reason === 'OOMKilled' ? [] : [`the kubelet gives ${reason} as the reason`]
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It was quicker.
  }
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
