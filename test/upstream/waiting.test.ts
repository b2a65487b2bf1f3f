/** Goal: only what a client waits for may wait for a place. Method: attempts of each kind. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { claimFor } from '../../src/core/sharing/claim.ts'
import { mayWait } from '../../src/upstream/waiting.ts'
import { attemptFor, NotingOwner, NotingUpstream } from './parts.ts'

const test = suite('upstream/waiting')

test('hedges, trials and questions of our own do not wait', () => {
  const waits = (kind: 'first' | 'failover' | 'hedge' | 'trial', client = '192.0.2.1') => {
    const attempt = attemptFor(new NotingUpstream(), new NotingOwner(), { kind })
    return mayWait({
      ...attempt,
      kind,
      claim: claimFor(client, attempt.frame, 0),
    } as typeof attempt)
  }
  assert.equal(
    [waits('first'), waits('failover'), waits('hedge'), waits('trial'), waits('first', '')],
    [true, true, false, false, false],
  )
})

test.run()
