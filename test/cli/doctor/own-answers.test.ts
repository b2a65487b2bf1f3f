// Goal: it is seen whether the daemon answers, and whether it is the daemon. Method: servers that a test plays, and made-up counts.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { askOwn, ownFindings } from '../../../src/cli/doctor/own-answers.ts'
import { FakeUpstream } from '../../upstream/fake-upstream.ts'

const test = suite('cli/doctor/own-answers')

test('an address that answers, one that does not, and one that another answers', async () => {
  const server = await FakeUpstream.start((query) => query.answer())
  const at = { address: '127.0.0.1', port: server.port, family: 4 } as const
  const place = `127.0.0.1:${server.port}`
  const answers = await askOwn([at])
  await server.stop()
  assert.equal(
    ownFindings(answers, { received: new Map([[place, 2]]), elsewhere: [] }).map(
      ({ state }) => state,
    ),
    ['ok'],
  )
  const [past] = ownFindings(answers, { received: new Map([[place, 0]]), elsewhere: [] })
  assert.is(past?.what, `${place} is answered by another server`)
  const here = { received: new Map([[place, 0]]), elsewhere: ['127.0.0.1'] }
  assert.match(ownFindings(answers, here)[0]?.what ?? '', 'by kube-proxy for the node itself')
  const [silent] = ownFindings(await askOwn([at]), { received: undefined, elsewhere: [] })
  assert.is(silent?.what, `nothing at ${place} over UDP and TCP`)
  assert.match(silent?.cause ?? '', 'no daemon listens there')
})

test.run()
