/** What a question costs that a stage of the operator answers, from packet to reply; and what such stages cost a hit and a question that they pass. */
import { loadPatternEngine } from '../../src/local/pattern/engine.ts'
import { writeQuery } from '../../test/support/client/dns-message.ts'
import { type Primed, primed } from './fixture.ts'
import type { MicroBench } from './measure.ts'

const settings = `templates:
  - { type: AAAA, zones: [nov6.example] }
  - type: A
    zones: [groups.example]
    match: ['^web-(?P<n>[0-9]+)[.]groups[.]example[.]$']
    answer: ['{{ .Name }} 60 IN A 192.0.2.{{ .Group.n }}']
  - { type: AAAA, zones: [v4.example] }
  - { type: A, zones: [v4.example], answer: ['a.v4.example 60 IN A 192.0.2.1'] }
hosts:
  - { entries: ['192.0.2.10 registry.example'], fallthrough: ['.'] }
whoami: [{ zones: [who.example] }]
dns64: [{ zones: [v4.example], ipv4Clients: true }]
`

export const bench: MicroBench = async () => {
  await loadPatternEngine()
  const hit = writeQuery('a1-0.bench.cluster.local', 'A')
  const { path, peer } = await primed([hit], settings)
  const asks = (query: Buffer) => asking({ path, peer }, query)
  return [
    {
      name: 'stages, template: NODATA, no expression',
      op: asks(writeQuery('a.nov6.example', 'AAAA')),
    },
    {
      name: 'stages, template: an expression and a record',
      op: asks(writeQuery('web-7.groups.example', 'A')),
    },
    { name: 'stages, hosts: one address', op: asks(writeQuery('registry.example', 'A')) },
    { name: 'stages, whoami', op: asks(writeQuery('who.example', 'A')) },
    {
      name: 'stages, dns64 of two templates',
      op: asks(writeQuery('a.v4.example', 'AAAA')),
    },
    { name: 'stages, a hit beside them', op: asks(hit) },
  ]
}

function asking({ path, peer }: Primed, query: Buffer): () => number {
  const out = Buffer.alloc(65_535)
  return () => {
    path.pipeline.beginBatch()
    const bytes = path.pipeline.handle(query, query.length, out, peer)
    if (bytes === 0) throw new Error('an upstream was asked')
    return bytes
  }
}
