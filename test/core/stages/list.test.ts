/** Goal: the order of the stages is the documented one, and the last one always decides. Method: the list with and without each part. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Inquiry } from '../../../src/core/inquiry.ts'
import type { SearchPath } from '../../../src/core/search/search-path.ts'
import { makeStages } from '../../../src/core/stages/list.ts'
import type { Foretold, Stage } from '../../../src/core/stages/stage.ts'
import { SearchBench } from '../search/support.ts'
import { Core } from '../support.ts'
import { inquire } from './support.ts'

const test = suite('core/stages/list')

/** A local stage that decides nothing. */
class Local implements Stage {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  judge(): undefined {
    return undefined
  }

  commit(): boolean {
    return false
  }

  foretell(_inquiry: Inquiry): Foretold {
    return { kind: 'pass', why: '' }
  }
}

function stagesOf(path?: SearchPath, local: readonly Stage[] = []): readonly Stage[] {
  return makeStages({ ...new Core(), search: { path }, local })
}

const names = (stages: readonly Stage[]) => stages.map(({ name }) => name)
const usual = ['cache', 'recursion', 'search', 'stale', 'failure', 'in flight', 'upstream']

test('what is cached comes first, and asking an upstream last', () => {
  assert.equal(names(stagesOf()), usual)
})

test('local stages answer behind the cache, and for clients without recursion, too', () => {
  const local = [new Local('one'), new Local('two')]
  assert.equal(names(stagesOf(undefined, local)), ['cache', 'one', 'two', ...usual.slice(1)])
})

test('answer mode, where there is one, comes before a denial from the cache', () => {
  const without = new SearchBench()
  assert.equal(names(stagesOf(without.stage)), usual)
  const lists = { namespaces: new Set(['\x06team-0']), find: () => undefined }
  const having = new SearchBench({ stage: { lists } })
  assert.equal(names(stagesOf(having.stage)), ['answer mode', ...usual])
})

test('whatever is asked, the last stage has a finding', () => {
  const core = new Core({ inFlight: { questionsMax: 0 } })
  const last = core.resolver.stages.at(-1)
  for (const name of ['.', 'localhost', 'a.b.c.cluster.local', 'www.shop.example'])
    assert.ok(last?.judge(inquire(core, name)), name)
})

test.run()
