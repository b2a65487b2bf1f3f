/** Goal: the call takes a name and a type, and a mistake says what would be right. Method: requests, on a real data path. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { explainCall } from '../../../src/daemon/operator/explain-call.ts'
import { dataPathOf } from '../support.ts'

const test = suite('daemon/operator/explain-call')

async function ask(search: string) {
  const path = dataPathOf({})
  path.exchange.stop()
  const request = { params: new URLSearchParams(search), body: Buffer.alloc(0), isRoot: true }
  const { status, body } = await explainCall(path).answer(request)
  return { status, value: JSON.parse(body) }
}

test('A is the type unless another is given', async () => {
  assert.is((await ask('name=www.example')).value.question.type, 'A')
  assert.is((await ask('name=www.example&type=aaaa')).value.question.type, 'AAAA')
})

test('mistakes are told with what would be right', async () => {
  for (const [search, says] of [
    ['', /name is ""; expected a domain name/],
    ['name=a..b', /expected a domain name/],
    ['name=a&type=BOGUS', /a record type such as AAAA, or TYPE65/],
    ['name=a&tpye=A', /unknown parameter "tpye"/],
  ] as const) {
    const { status, value } = await ask(search)
    assert.is(status, 400)
    assert.match(value.error, says)
  }
})

test.run()
