/** What a hit costs while questions are rewritten, from packet to reply: of a name that a rule is for, and of one that none is for. */
import { loadPatternEngine } from '../../src/local/pattern/engine.ts'
import { writeQuery } from '../../test/support/client/dns-message.ts'
import { primed } from './fixture.ts'
import type { MicroBench } from './measure.ts'

const settings = `rewrites:
  - { from: exact.front.example, to: a1-0.bench.cluster.local }
  - { match: suffix, from: .front.example, to: .bench.cluster.local, answer: [auto] }
  - { match: regex, from: '^(.*)[.]re[.]example[.]$', to: '{1}.bench.cluster.local', answer: [auto] }
  - { from: a1-1.bench.cluster.local, ttl: 5-30 }
`

export const bench: MicroBench = async () => {
  await loadPatternEngine()
  const names = ['a1-0.bench.cluster.local', 'a1-1.bench.cluster.local']
  const queries = names.map((name) => writeQuery(name, 'A'))
  const { path, peer } = await primed(queries, settings)
  const out = Buffer.alloc(65_535)
  const hit = (name: string) => {
    const query = writeQuery(name, 'A')
    return () => {
      path.pipeline.beginBatch()
      const bytes = path.pipeline.handle(query, query.length, out, peer)
      if (bytes === 0) throw new Error('an upstream was asked')
      return bytes
    }
  }
  return [
    { name: 'rewrites, a hit that no rule is for', op: hit('a1-0.bench.cluster.local') },
    { name: 'rewrites, exact', op: hit('exact.front.example') },
    { name: 'rewrites, suffix', op: hit('a1-0.front.example') },
    { name: 'rewrites, regex', op: hit('a1-0.re.example') },
    { name: 'rewrites, ttl', op: hit('a1-1.bench.cluster.local') },
  ]
}
