/** Goal: sockets show what was dropped, refused and ended. Method: stand-ins for one UDP and one TCP socket, scraped and read back. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sampleOf } from '../../support/exposition.ts'
import { scrape, seriesIn, sourcesWith, tcp, udp } from '../support.ts'

const test = suite('observe/families/listener')

test('listeners show what the kernel dropped, what it refused and how connections ended', async () => {
  const scraped = await scrape(
    sourcesWith({
      udp: () => [udp],
      tcp: () => [tcp],
      kernelDrops: () => new Map([['127.0.0.1:53', 17]]),
    }),
  )
  const v4 = { server: 'dns://127.0.0.1:53' }
  const v6 = { server: 'dns://[::1]:53' }
  assert.is(sampleOf(scraped, 'neardns_udp_receive_drops_total', v4), 17)
  assert.is(sampleOf(scraped, 'neardns_udp_send_errors_total', { ...v4, code: 'EPERM' }), 2)
  const io = { mode: 'portable', fallback: 'kernel' }
  assert.is(sampleOf(scraped, 'neardns_io_mode_info', { ...v4, ...io }), 1)
  assert.is(sampleOf(scraped, 'neardns_tcp_connections_open', v6), 1)
  assert.is(sampleOf(scraped, 'neardns_tcp_connections_closed_total', { ...v6, reason: 'peer' }), 3)
  assert.is(sampleOf(scraped, 'neardns_tcp_accept_errors_total', { ...v6, code: 'EMFILE' }), 1)
})

test('an address whose drops the kernel does not tell has no series of them', async () => {
  const scraped = await scrape(sourcesWith({ udp: () => [udp] }))
  assert.equal(seriesIn(scraped, 'neardns_udp_receive_drops_total'), [])
  assert.equal(seriesIn(scraped, 'neardns_udp_receive_buffer_bytes'), [
    [{ server: 'dns://127.0.0.1:53' }, 4_194_304],
  ])
})

test('every count of a socket has a family', async () => {
  const scraped = await scrape(sourcesWith({ udp: () => [udp], tcp: () => [tcp] }))
  for (const [name, address, value] of [
    ['neardns_udp_received_total', '127.0.0.1:53', 10],
    ['neardns_udp_sent_total', '127.0.0.1:53', 9],
    ['neardns_udp_send_queue_drops_total', '127.0.0.1:53', 1],
    ['neardns_udp_unsendable_total', '127.0.0.1:53', 3],
    ['neardns_tcp_connections_accepted_total', '[::1]:53', 4],
    ['neardns_tcp_connections_refused_total', '[::1]:53', 2],
    ['neardns_tcp_received_total', '[::1]:53', 8],
    ['neardns_tcp_sent_total', '[::1]:53', 8],
  ] as const) {
    assert.equal(seriesIn(scraped, name), [[{ server: `dns://${address}` }, value]], name)
  }
})

test.run()
