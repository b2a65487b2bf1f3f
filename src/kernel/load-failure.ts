/** Why the program in the kernel cannot be had, for log, metrics and `check`. */
import { BpfError, countTcx, TcxSide } from '../system/bpf.ts'
import type { SystemCalls } from '../system/system-calls.ts'

const loopback = 1

/** Why the program is not loaded. */
export interface LoadFailure {
  readonly kind: 'kernel' | 'permission' | 'error'
  /** For an operator. */
  readonly text: string
}

class OldKernel extends Error {
  override readonly name = 'OldKernel'
}

export function whyNotLoaded(error: unknown): LoadFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const text = error instanceof Error ? error.message : String(error)
  if (error instanceof OldKernel) return { kind: 'kernel', text }
  if (code !== 'EPERM') return { kind: 'error', text }
  const needed =
    'it takes CAP_BPF and CAP_NET_ADMIN, and a seccomp profile that allows bpf(2) with them'
  return { kind: 'permission', text: `${text}; ${needed}` }
}

/** @throws an Error for `whyNotLoaded` */
export function refuseOldKernel(calls: SystemCalls): void {
  const found = countTcx(calls, loopback, TcxSide.ingress)
  if (found >= 0) return
  const error = new BpfError('tcx', -found)
  if (error.code === 'EINVAL') throw new OldKernel('the kernel has no tcx; it came with Linux 6.6')
  throw error
}
