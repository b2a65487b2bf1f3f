/** Goal: an operation is done here and by all colleagues, and a failure there is no failure here. Method: a link whose colleagues the test plays. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  everywhereFor,
  type Operation,
  Operations,
} from '../../../src/daemon/operator/operation.ts'
import { WorkerLink } from '../../../src/daemon/workers/link.ts'

const test = suite('daemon/operator/operation')

const double: Operation<number, number> = { name: 'double', run: (input) => 2 * input }

class ScriptedLink extends WorkerLink {
  readonly called: unknown[] = []

  constructor() {
    super({ number: 0, count: 3, sockets: [], hasDump: false })
  }

  override callOthers(name: string, input: unknown) {
    this.called.push([name, input])
    return Promise.resolve({ results: [{ worker: 1, output: 40 }], missing: 1 })
  }
}

test('a process alone returns what it has', async () => {
  assert.equal(await everywhereFor(undefined)(double, 4), { outputs: [8], missing: 0 })
})

test('a worker returns what it and its colleagues have, and how many said nothing', async () => {
  const link = new ScriptedLink()
  assert.equal(await everywhereFor(link)(double, 4), { outputs: [8, 40], missing: 1 })
  assert.equal(link.called, [['double', 4]])
})

test('a colleague finds an operation by its name; one that fails or is not there returns nothing', async () => {
  const operations = new Operations()
  operations.add(double)
  operations.add({ name: 'broken', run: () => Promise.reject(new Error('no')) })
  assert.is(await operations.carryOut('double', 21), 42)
  assert.is(await operations.carryOut('broken', 0), undefined)
  assert.is(await operations.carryOut('other', 0), undefined)
})

test.run()
