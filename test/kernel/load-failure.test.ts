/** Goal: an operator reads why hits in the kernel are off. Method: kernels that refuse. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { refuseOldKernel, whyNotLoaded } from '../../src/kernel/load-failure.ts'
import { BpfError } from '../../src/system/bpf.ts'
import { loadSystemCalls, type SystemCalls } from '../../src/system/system-calls.ts'

const test = suite('kernel/load-failure')

const [enoent, eperm, einval] = [2, 1, 22]

function kernelThatSays(result: number): SystemCalls {
  return { ...loadSystemCalls(), bpf: () => result }
}

function refusalBy(result: number): unknown {
  try {
    refuseOldKernel(kernelThatSays(result))
    return undefined
  } catch (error) {
    return error
  }
}

test('a kernel with tcx is not refused, whether something hangs there or not', () => {
  assert.is(refusalBy(0), undefined)
  assert.is(refusalBy(-enoent), undefined)
})

test('a kernel without tcx is said to be too old', () => {
  assert.equal(whyNotLoaded(refusalBy(-einval)), {
    kind: 'kernel',
    text: 'the kernel has no tcx; it came with Linux 6.6',
  })
})

test('of a right that is missing it is said which are needed', () => {
  const { kind, text } = whyNotLoaded(refusalBy(-eperm))
  assert.is(kind, 'permission')
  assert.match(text, /EPERM; it takes CAP_BPF and CAP_NET_ADMIN, and a seccomp profile/)
})

test('anything else is an error in its own words', () => {
  assert.equal(whyNotLoaded(new BpfError('map neardns_answers', 12)), {
    kind: 'error',
    text: 'map neardns_answers: ENOMEM',
  })
  assert.equal(whyNotLoaded('odd'), { kind: 'error', text: 'odd' })
})

test.run()
