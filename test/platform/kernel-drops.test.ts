/**
 * Goal: the drops that are reported are those of our own sockets. Method: a socket whose buffer is made to
 * overflow, and files as the kernel writes them.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readKernelDrops } from '../../src/platform/kernel-drops.ts'
import { until } from '../support/process.ts'

const test = suite('platform/kernel-drops')

async function bound(address: string, port = 0, reusePort = false): Promise<Socket> {
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', reusePort })
  socket.bind(port, address)
  await once(socket, 'listening')
  return socket
}

const closed = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.close(resolve)
  })

for (const address of ['127.0.0.1', '::1']) {
  test(`datagrams that overflow the buffer of a socket on ${address} are its drops`, async () => {
    const receiver = await bound(address)
    const quiet = await bound(address)
    const sender = await bound(address)
    try {
      receiver.setRecvBufferSize(4096)
      const { port } = receiver.address()
      const label = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
      const drops = () =>
        readKernelDrops([
          { address, port },
          { address, port: quiet.address().port },
        ])
      assert.is((await drops()).get(label), 0)
      // All sent in one turn of the loop, so that nobody reads in between.
      let received = 0
      receiver.on('message', () => received++)
      let left = 200
      await new Promise<void>((resolve) => {
        for (let n = 0; n < 200; n++) {
          sender.send(Buffer.alloc(500), port, address, () => --left === 0 && resolve())
        }
      })
      await until('every datagram is received or dropped', async () => {
        return received + ((await drops()).get(label) ?? 0) === 200
      })
      const after = await drops()
      assert.ok((after.get(label) ?? 0) > 100, `${after.get(label)} of 200`)
      assert.equal([...after.values()].toSorted()[0], 0)
      assert.is(after.size, 2)
    } finally {
      await Promise.all([receiver, quiet, sender].map(closed))
    }
  })
}

test('a socket is found while hundreds of others come and go', async () => {
  const kept = await bound('127.0.0.1')
  const { port } = kept.address()
  let others = await Promise.all(Array.from({ length: 200 }, () => bound('127.0.0.1')))
  try {
    for (let round = 0; round < 10; round++) {
      const reading = readKernelDrops([{ address: '127.0.0.1', port }])
      const old = others
      others = await Promise.all(Array.from({ length: 200 }, () => bound('127.0.0.1')))
      await Promise.all(old.map(closed))
      assert.is((await reading).get(`127.0.0.1:${port}`), 0)
    }
  } finally {
    await Promise.all([kept, ...others].map(closed))
  }
})

test('an address nobody listens on is left out', async () => {
  const socket = await bound('127.0.0.1')
  const { port } = socket.address()
  await closed(socket)
  assert.is((await readKernelDrops([{ address: '127.0.0.1', port }])).size, 0)
})

test('of several sockets on one address, those of this process count, a line given twice once', async () => {
  const proc = mkdtempSync(join(tmpdir(), 'neardns-proc-'))
  const line = (inode: number, drops: number) =>
    `  123: 0A14FEA9:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 ${inode} 2 0000000000000000 ${drops}`
  const head =
    '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops'
  mkdirSync(join(proc, 'net'))
  mkdirSync(join(proc, 'self/fd'), { recursive: true })
  writeFileSync(
    join(proc, 'net/udp'),
    `${[head, line(501, 3), line(502, 40), line(503, 500), line(501, 3)].join('\n')}\n`,
  )
  symlinkSync('socket:[501]', join(proc, 'self/fd/20'))
  symlinkSync('socket:[503]', join(proc, 'self/fd/21'))
  symlinkSync('/dev/null', join(proc, 'self/fd/22'))
  try {
    const drops = await readKernelDrops([{ address: '169.254.20.10', port: 53 }], proc)
    assert.equal([...drops], [['169.254.20.10:53', 503]])
  } finally {
    rmSync(proc, { recursive: true })
  }
})

test('IPv6 addresses are found in every way of writing them', async () => {
  const proc = mkdtempSync(join(tmpdir(), 'neardns-proc-'))
  mkdirSync(join(proc, 'net'))
  const line = (address: string, drops: number) =>
    `1: ${address}:0035 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 9 2 0 ${drops}\n`
  writeFileSync(
    join(proc, 'net/udp6'),
    line('000000FD000000000000000010000000', 1) +
      line('00000000000000000000000000000000', 2) +
      line('0000000000000000FFFF00000100007F', 3),
  )
  try {
    const addresses = ['fd00::10', 'fd00:0:0:0:0:0:0:10', '::', '::ffff:127.0.0.1']
    const drops = await readKernelDrops(
      addresses.map((address) => ({ address, port: 53 })),
      proc,
    )
    assert.equal([...drops.values()], [1, 1, 2, 3])
  } finally {
    rmSync(proc, { recursive: true })
  }
})

test('a machine without /proc, and lines of another form, give nothing', async () => {
  const proc = mkdtempSync(join(tmpdir(), 'neardns-proc-'))
  const wanted = [{ address: '127.0.0.1', port: 53 }]
  assert.is((await readKernelDrops(wanted, proc)).size, 0)
  mkdirSync(join(proc, 'net'))
  writeFileSync(join(proc, 'net/udp'), 'sl local\n\n 1: 0100007F:0035 what\n\u0000\n')
  assert.is((await readKernelDrops(wanted, proc)).size, 0)
  rmSync(proc, { recursive: true })
})

test.run()
