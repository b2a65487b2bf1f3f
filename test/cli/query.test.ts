// Goal: `query` asks over UDP and TCP and shows what came back; whatever goes wrong is one clear line and exit code 1.
// Method: a scripted server on loopback, UDP and TCP on one port, answering with messages built by dns-packet.
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import dnsPacket from 'dns-packet'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { query } from '../../src/cli/query.ts'
import { captured } from '../support/cli-io.ts'

/** What the server does with a query; undefined: nothing. */
type Script = (request: dnsPacket.DecodedPacket, transport: 'udp' | 'tcp') => Buffer | undefined

interface Context {
  udp: Socket
  tcp: Server
  server: string
  script: Script
  asked: string[]
}

const test = suite<Context>('cli/query')

test.before.each(async (context) => {
  context.asked = []
  context.script = () => undefined
  const reply = (bytes: Buffer, transport: 'udp' | 'tcp') => {
    const request = dnsPacket.decode(bytes)
    const [question] = request.questions ?? []
    context.asked.push(`${transport} ${question?.name} ${question?.type}`)
    return context.script(request, transport)
  }
  context.tcp = createServer((connection) => {
    connection.on('error', () => connection.destroy())
    connection.once('data', (data: Buffer) => {
      const bytes = reply(data.subarray(2), 'tcp')
      if (bytes === undefined) connection.end()
      else
        connection.end(Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]))
    })
  })
  context.tcp.listen(0, '127.0.0.1')
  await once(context.tcp, 'listening')
  const { port } = context.tcp.address() as AddressInfo
  context.udp = createSocket('udp4')
  context.udp.on('message', (bytes, peer) => {
    const answer = reply(bytes, 'udp')
    if (answer !== undefined) context.udp.send(answer, peer.port, peer.address)
  })
  context.udp.bind(port, '127.0.0.1')
  await once(context.udp, 'listening')
  context.server = `127.0.0.1:${port}`
})

test.after.each(async ({ udp, tcp }) => {
  await new Promise<void>((resolve) => udp.close(() => resolve()))
  await new Promise<void>((resolve) => tcp.close(() => resolve()))
})

interface ReplyParts {
  readonly flags?: number
  readonly answers?: dnsPacket.Answer[]
  readonly authorities?: dnsPacket.Answer[]
}

function answer(
  request: dnsPacket.DecodedPacket,
  { flags = 0, answers, authorities }: ReplyParts,
): Buffer {
  return dnsPacket.encode({
    type: 'response',
    id: request.id ?? 0,
    flags: flags | dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE,
    questions: request.questions ?? [],
    answers: answers ?? [],
    authorities: authorities ?? [],
  })
}

async function ask(...argv: string[]) {
  const io = captured()
  const code = await query(argv, io, { timeoutMs: 150 })
  return { code, out: io.out(), err: io.err() }
}

test('an answer over UDP is shown with its records and its cost', async (context) => {
  context.script = (request) =>
    answer(request, { answers: [{ type: 'A', name: 'a.example', ttl: 30, data: '192.0.2.1' }] })
  const { code, out, err } = await ask('a.example', '--server', context.server)
  assert.is(err, '')
  assert.is(code, 0)
  assert.equal(context.asked, ['udp a.example A'])
  assert.match(
    out,
    /^;; NOERROR {2}flags: qr rd ra {2}answer 1, authority 0, additional 0\n\n;; question\n;a\.example\. {2}IN {2}A\n\n;; answer\na\.example\. {2}30 {2}IN {2}A {2}192\.0\.2\.1\n\n;; 52 bytes from 127\.0\.0\.1:\d+ over UDP in \d+\.\d ms\n$/,
  )
})

test('a truncated reply is asked for again over TCP', async (context) => {
  context.script = (request, transport) =>
    transport === 'udp'
      ? answer(request, { flags: dnsPacket.TRUNCATED_RESPONSE })
      : answer(request, {
          answers: [{ type: 'TXT', name: 'a.example', ttl: 5, data: ['x"y\u001b', 'z'] }],
        })
  const { code, out } = await ask('a.example', 'txt', '--server', context.server)
  assert.is(code, 0)
  assert.equal(context.asked, ['udp a.example TXT', 'tcp a.example TXT'])
  assert.match(out, /^;; truncated over UDP, asked again over TCP\n/)
  assert.match(out, /a\.example\. {2}5 {2}IN {2}TXT {2}"x\\034y\\027" "z"\n/)
  assert.match(out, / over TCP in /)
})

test('--tcp asks over TCP only', async (context) => {
  context.script = (request) => answer(request, {})
  assert.is((await ask('--tcp', '--server', context.server, 'a.example')).code, 0)
  assert.equal(context.asked, ['tcp a.example A'])
})

test('a name in the letters of a language is asked as its A-label, and shown in both forms', async (context) => {
  context.script = (request) => answer(request, {})
  const { code, out } = await ask('bücher.example.', '--server', context.server)
  assert.is(code, 0)
  assert.equal(context.asked, ['udp xn--bcher-kva.example A'])
  assert.match(out, /;xn--bcher-kva\.example\. {2}IN {2}A\n/)
  assert.match(out, /;; bücher\.example\. is xn--bcher-kva\.example\. on the wire\n/)
})

test('escapes are bytes of the name', async (context) => {
  const packets: Buffer[] = []
  context.udp.on('message', (bytes: Buffer) => packets.push(bytes))
  context.script = (request) => answer(request, {})
  await ask('a\\.b\\032\\255.example', 'TXT', '--server', context.server)
  assert.is(
    packets[0]?.subarray(12, 31).toString('latin1'),
    '\x05a.b \xff\x07example\x00\x00\x10\x00\x01',
  )
})

test('an address is asked for its name', async (context) => {
  context.script = (request) => answer(request, {})
  await ask('10.96.0.1', '--server', context.server)
  assert.equal(context.asked, ['udp 1.0.96.10.in-addr.arpa PTR'])
})

test('a negative answer is an answer: exit code 0, with its SOA', async (context) => {
  const soa = {
    mname: 'ns.dns.example',
    rname: 'h.example',
    serial: 1,
    refresh: 2,
    retry: 3,
    expire: 4,
    minimum: 5,
  }
  context.script = (request) =>
    answer(request, {
      flags: 3,
      authorities: [{ type: 'SOA', name: 'example', ttl: 5, data: soa }],
    })
  const { code, out } = await ask('no.example', '--server', context.server)
  assert.is(code, 0)
  assert.match(out, /^;; NXDOMAIN /)
  assert.match(out, /example\. {2}5 {2}IN {2}SOA {2}ns\.dns\.example\. h\.example\. 1 2 3 4 5\n/)
})

test('a reply to somebody else is not ours', async (context) => {
  context.script = (request) => {
    const bytes = answer(request, {})
    bytes.writeUInt16BE(((request.id ?? 0) + 1) & 0xffff, 0)
    return bytes
  }
  const { code, err } = await ask('a.example', '--server', context.server)
  assert.is(code, 1)
  assert.is(err, `neardns: no reply from ${context.server} over UDP within 150 ms\n`)
})

test('a silent server is asked twice', async (context) => {
  const { code, out } = await ask('a.example', '--server', context.server)
  assert.is(code, 1)
  assert.is(out, '')
  assert.equal(context.asked, ['udp a.example A', 'udp a.example A'])
})

test('a reply that cannot be read is reported as such', async (context) => {
  context.script = (request) => {
    const header = Buffer.alloc(12, 0xff)
    header.writeUInt16BE(request.id ?? 0, 0)
    header.writeUInt16BE(0x8000, 2)
    return header
  }
  const { code, err } = await ask('a.example', '--server', context.server)
  assert.is(code, 1)
  assert.is(
    err,
    `neardns: the reply of ${context.server} is malformed: claims more records than it has room for\n`,
  )
})

test('a connection that is closed without a reply is reported', async (context) => {
  const { code, err } = await ask('a.example', '--tcp', '--server', context.server)
  assert.is(code, 1)
  assert.is(err, `neardns: ${context.server} closed the connection without a reply\n`)
})

test('a port on which nobody listens is reported at once, over UDP and TCP', async () => {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const place = `127.0.0.1:${socket.address().port}`
  await new Promise<void>((resolve) => socket.close(() => resolve()))
  for (const [flags, transport] of [
    [[], 'UDP'],
    [['--tcp'], 'TCP'],
  ] as const) {
    const { code, err } = await ask('a.example', ...flags, '--server', place)
    assert.is(code, 1)
    assert.is(
      err,
      `neardns: nobody listens on ${place} (${transport}); start it with: neardns run --listen ${place}\n`,
    )
  }
})

const misuses: [string[], string][] = [
  [['a', 'A', 'IN'], 'query does not take the word "IN": neardns query NAME [TYPE] [flags]'],
  [['a..example'], '"a..example" has an empty label'],
  [[''], 'the name is empty; the root is written "."'],
  [[`${'x'.repeat(64)}.example`], `the label "${'x'.repeat(64)}" has more than 63 bytes`],
  [['abcdefg.'.repeat(32)], 'the name has more than 253 bytes'],
  [['a', 'AAAB'], '"AAAB" is not a record type; did you mean AAAA?'],
  [
    ['a', '--server', 'localhost'],
    '--server localhost: "localhost" is not an IP address; host names are not accepted, because we are the resolver',
  ],
  [['a', '--server', '127.0.0.1:0'], '--server 127.0.0.1:0: a server has no port 0'],
  [['a', '--sevrer', '1.1.1.1'], 'unknown flag "--sevrer"; did you mean --server?'],
  [['a', '--tcp=yes'], '--tcp takes no value, got "yes"'],
]
for (const [argv, why] of misuses) {
  test(`query ${argv.join(' ').slice(0, 40)} is a misuse`, async () => {
    assert.equal(await ask(...argv), { code: 2, out: '', err: `neardns: ${why}\n` })
  })
}

test.run()
