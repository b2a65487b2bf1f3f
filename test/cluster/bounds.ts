/**
 * How many queries each scenario may lose, in one place. A bound is a time: what comes in within it may be lost, at any rate.
 * Wrong answers, failed syncs of kube-proxy and a Service that does not work afterwards are never allowed.
 */
/**
 * From the death of a process until the kernel has taken its rules away: queries in its socket or on their way there. The kernel
 * removes an owned table in milliseconds, and this machine has other things to do.
 */
const inFlightMs = 50
/** Whom the kernel kills for his memory gives that back first, and then his sockets. */
const memoryMs = 50
/** The iptables backend: rules match until 0.4 s after the last sign of life (docs/decisions/0012). */
const leaseMs = 400
/** Sets of nftables run out 2.5 s after the last renewal. */
const setLifeMs = 2500
/** CoreDNS's pods are known to the standby so long after they changed. */
const standbyAgeMs = 2000

const bounds: Readonly<Record<string, number>> = {
  steady: 0,
  upgrade: 0,
  sigkill: inFlightMs,
  'sigkill-iptables-backend': leaseMs + inFlightMs,
  'all-killed': inFlightMs,
  'all-killed-supervised': inFlightMs,
  oom: inFlightMs + memoryMs,
  sigstop: setLifeMs + inFlightMs,
  'kube-proxy-restarted': 0,
  'kube-proxy-mode-switched': 0,
  'deleted-after-mode-switch': 0,
  'coredns-rolled': 0,
  'coredns-scaled-to-1': 0,
  'deleted-1-s-after-coredns': standbyAgeMs,
  'deleted-5-s-after-coredns': 0,
  'deleted-60-s-after-coredns': 0,
  'kubelet-restarted': 0,
  'config-changed': 0,
  'config-wrong': 0,
  'chart-upgraded': 0,
  'chart-uninstalled': 0,
  uninstalled: 0,
  'deleted-leaving-nothing': 0,
}

/** Undefined: measured for comparison and not judged. */
export function lostMax(scenario: string, queriesPerSecond: number): number | undefined {
  const ms = bounds[scenario]
  return ms === undefined ? undefined : Math.ceil((ms / 1000) * queriesPerSecond)
}
