/** Goal: `neardns explain` asks the right page and passes on what comes back. Method: an admin server that is a function. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { explain } from '../../../src/cli/explain/explain.ts'
import { jsonPage } from '../../../src/observe/admin-calls.ts'
import { AdminServer } from '../../../src/observe/admin-server.ts'
import { captured } from '../../support/cli-io.ts'
import { freePort } from '../../support/free-port.ts'

const test = suite('cli/explain/explain')

async function withAdmin(run: (address: string, asked: string[]) => Promise<void>): Promise<void> {
  const asked: string[] = []
  const server = new AdminServer({
    listen: { address: '127.0.0.1', port: 0 },
    pages: new Map(),
    questions: [
      {
        prefix: '/explain/',
        answer: (rest) => {
          asked.push(rest)
          return rest.startsWith('bad')
            ? { status: 400, body: 'no\n' }
            : { status: 200, body: 'because\n' }
        },
      },
    ],
    access: () => ({ ok: true, isRoot: false }),
    onDefect: (error) => assert.unreachable(String(error)),
  })
  const { address, port } = await server.start()
  try {
    await run(`${address}:${port}`, asked)
  } finally {
    await server.stop()
  }
}

/** @param decisions by the name that is asked about */
async function withCalls(
  decisions: Readonly<Record<string, object>>,
  run: (address: string) => Promise<void>,
): Promise<void> {
  const server = new AdminServer({
    listen: { address: '127.0.0.1', port: 0 },
    pages: new Map(),
    calls: [
      {
        method: 'GET',
        path: '/v1/explain',
        answer: ({ params }) => jsonPage({ decision: decisions[params.get('name') ?? ''] }),
      },
    ],
    access: () => ({ ok: true, isRoot: false }),
    onDefect: (error) => assert.unreachable(String(error)),
  })
  const { address, port } = await server.start()
  try {
    await run(`${address}:${port}`)
  } finally {
    await server.stop()
  }
}

test('the answer is printed, and A is the type unless another is given', async () => {
  await withAdmin(async (admin, asked) => {
    const io = captured()
    assert.is(await explain(['www.example.com', '--admin', admin], io), 0)
    assert.is(await explain(['a b.example', 'AAAA', `--admin=${admin}`], io), 0)
    assert.is(io.out(), 'because\nbecause\n')
    assert.equal(asked, ['www.example.com/A', 'a%20b.example/AAAA'])
  })
})

test('an address alone is explained by its reverse name', async () => {
  await withAdmin(async (admin, asked) => {
    for (const words of [['10.96.0.10'], ['fd00::1'], ['10.96.0.10', 'A']])
      assert.is(await explain([...words, '--admin', admin], captured()), 0)
    assert.is(asked[0], '10.0.96.10.in-addr.arpa/PTR')
    assert.match(asked[1] ?? '', /^1\.0\..*\.d\.f\.ip6\.arpa\/PTR$/)
    assert.is(asked[2], '10.96.0.10/A')
  })
})

test('names in letters of a language and with escapes are asked as the daemon has them', async () => {
  await withAdmin(async (admin, asked) => {
    const io = captured()
    assert.is(await explain(['bücher.example.', '--admin', admin], io), 0)
    assert.is(await explain(['a\\.b.example', '--admin', admin], io), 0)
    assert.equal(asked, ['xn--bcher-kva.example./A', 'a%5C.b.example/A'])
    assert.is(
      io.out(),
      'because\n;; bücher.example. is xn--bcher-kva.example. on the wire\nbecause\n',
    )
  })
})

test('an address and port without brackets is refused with the right spelling', async () => {
  const io = captured()
  assert.is(await explain(['www.example', '--admin=fd00::a:9253'], io), 2)
  assert.match(io.err(), /write \[fd00::a\]:9253 or /)
})

test('a name that the daemon refuses is a misuse', async () => {
  await withAdmin(async (admin) => {
    const io = captured()
    assert.is(await explain(['bad.name', '--admin', admin], io), 2)
    assert.match(io.err(), /no\n$/)
  })
})

test('no admin server is said with the way to have one', async () => {
  const io = captured()
  const admin = `127.0.0.1:${await freePort()}`
  assert.is(await explain(['www.example.com', '--admin', admin], io), 1)
  assert.is(
    io.err(),
    `neardns: no admin server at ${admin}; start the daemon with --admin, and name it here\n`,
  )
})

test('a call without a name shows how it is done', async () => {
  const io = captured()
  assert.is(await explain([], io), 2)
  assert.match(io.err(), /explain needs NAME: neardns explain NAME/)
})

test('a type that is none is refused before anybody is asked', async () => {
  const io = captured()
  assert.is(await explain(['www.example.com', 'BOGUS', '--admin', '127.0.0.1:1'], io), 2)
  assert.is(
    io.err(),
    'neardns: "BOGUS" is not a record type; write a name such as AAAA, or TYPE65\n',
  )
})

test('along a search list each name is asked for, as text and as JSON', async () => {
  await withAdmin(async (admin, asked) => {
    const io = captured()
    assert.is(await explain(['api', '--as-pod', 'shop', '--admin', admin], io), 0)
    assert.equal(
      asked.map((rest) => rest.split('/')[0]),
      ['api.shop.svc.cluster.local.', 'api.svc.cluster.local.', 'api.cluster.local.', 'api.'],
    )
    assert.match(
      io.out(),
      /^api A; search shop\.svc\.cluster\.local .*, ndots 5\n├─ 1 {2}because: /,
    )
  })
})

test('as JSON each step has what the daemon says as values, and what was not asked stands at the end', async () => {
  const steps: Record<string, object> = {
    'api.shop.svc.cluster.local.': { rcode: 'NXDOMAIN', records: [] },
    'api.svc.cluster.local.': { rcode: 'NOERROR', records: ['api 5 IN A 10.96.0.9'] },
  }
  await withCalls(steps, async (admin) => {
    const io = captured()
    assert.is(await explain(['api', '--as-pod', 'shop', '--json', '--admin', admin], io), 0)
    const { notAsked, steps: told, search, type } = JSON.parse(io.out())
    assert.equal(
      told.map((step: { name: string; verdict: string }) => [step.name, step.verdict]),
      [
        ['api.shop.svc.cluster.local.', 'denied'],
        ['api.svc.cluster.local.', 'answered'],
      ],
    )
    assert.equal(told[1].decision.records, ['api 5 IN A 10.96.0.9'])
    assert.equal(notAsked, ['api.cluster.local.', 'api.'])
    assert.is(search.ndots, 5)
    assert.is(type, 'A')
  })
})

test('flags that contradict each other are refused', async () => {
  const io = captured()
  assert.is(await explain(['api', '--ndots', '3'], io), 2)
  assert.is(io.err(), 'neardns: --ndots needs --search or --as-pod\n')
  const other = captured()
  assert.is(await explain(['www.example.com', '--server', '192.0.2.1'], other), 2)
  assert.is(other.err(), 'neardns: --server needs --trace\n')
})

test.run()
