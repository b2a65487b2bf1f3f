/** Publishes the listening sockets: datagrams that the kernel dropped, replies that could not be sent, TCP connections. Counts nothing. */

import type { TcpView, UdpView } from '../stats.ts'
import { type Family, family, type Sample } from './family.ts'

/**
 * @param kernelDrops datagrams that the kernel dropped because the receive buffer was full, by listening address, as of the newest
 *   reading; a missing address is not published
 */
export function udpFamilies(
  read: () => readonly UdpView[],
  kernelDrops: () => ReadonlyMap<string, number>,
): Family[] {
  const counter = (name: string, help: string, value: (stats: UdpView['stats']) => number) =>
    family('counter', [name, help], ['server'], () => byServer(read(), ({ stats }) => value(stats)))
  return [
    family(
      'counter',
      [
        'neardns_udp_receive_drops_total',
        'Datagrams the kernel dropped because the receive buffer was full.',
      ],
      ['server'],
      () => [...kernelDrops()].map(([address, value]) => ({ labels: server(address), value })),
    ),
    counter('neardns_udp_received_total', 'Datagrams read.', (stats) => stats.received),
    counter('neardns_udp_sent_total', 'Replies that the kernel took.', (stats) => stats.sent),
    counter(
      'neardns_udp_send_queue_drops_total',
      'Replies thrown away because the send queue was full.',
      (stats) => stats.queueDrops,
    ),
    counter(
      'neardns_udp_unsendable_total',
      'Replies to port 0, or after the socket was closed.',
      (stats) => stats.unsendable,
    ),
    family(
      'counter',
      ['neardns_udp_send_errors_total', 'Replies that the kernel refused, by error.'],
      ['server', 'code'],
      () => read().flatMap(({ address, stats }) => byName(address, 'code', stats.sendErrors)),
    ),
    family(
      'counter',
      ['neardns_udp_socket_errors_total', 'Errors of the socket itself.'],
      ['server', 'code'],
      () => read().flatMap(({ address, stats }) => byName(address, 'code', stats.socketErrors)),
    ),
    family(
      'gauge',
      ['neardns_udp_receive_buffer_bytes', 'Receive buffer the kernel granted.'],
      ['server'],
      () => byServer(read(), ({ stats }) => stats.receiveBufferBytes),
    ),
    family(
      'gauge',
      [
        'neardns_io_mode_info',
        '1 for the way datagrams are read and written; fallback says why it is not the batched one.',
      ],
      ['server', 'mode', 'fallback'],
      () =>
        read().map(({ address, io: { mode, fallback } }) => ({
          labels: { ...server(address), mode, fallback },
          value: 1,
        })),
    ),
  ]
}

export function tcpFamilies(read: () => readonly TcpView[]): Family[] {
  const counter = (name: string, help: string, value: (stats: TcpView['stats']) => number) =>
    family('counter', [name, help], ['server'], () => byServer(read(), ({ stats }) => value(stats)))
  return [
    family('gauge', ['neardns_tcp_connections_open', 'Open client connections.'], ['server'], () =>
      byServer(read(), ({ stats }) => stats.open),
    ),
    counter('neardns_tcp_connections_accepted_total', 'Client connections.', (s) => s.accepted),
    counter(
      'neardns_tcp_connections_refused_total',
      'Client connections turned away because of a limit.',
      (s) => s.refused,
    ),
    family(
      'counter',
      ['neardns_tcp_connections_closed_total', 'Client connections that ended, by reason.'],
      ['server', 'reason'],
      () =>
        read().flatMap(({ address, stats }) =>
          byName(address, 'reason', new Map(Object.entries(stats.closed))),
        ),
    ),
    family(
      'counter',
      ['neardns_tcp_accept_errors_total', 'Errors of the listening socket.'],
      ['server', 'code'],
      () => read().flatMap(({ address, stats }) => byName(address, 'code', stats.acceptErrors)),
    ),
    counter('neardns_tcp_received_total', 'Messages read.', (stats) => stats.received),
    counter('neardns_tcp_sent_total', 'Replies written.', (stats) => stats.sent),
  ]
}

/** CoreDNS's form of a listening address, which TCP and UDP share in CoreDNS too. */
export function serverLabel(address: string): string {
  return `dns://${address}`
}

function server(address: string): { readonly server: string } {
  return { server: serverLabel(address) }
}

function byServer<T extends { readonly address: string }>(
  all: readonly T[],
  value: (one: T) => number,
): Sample[] {
  return all.map((one) => ({ labels: server(one.address), value: value(one) }))
}

function byName(address: string, label: string, counts: ReadonlyMap<string, number>): Sample[] {
  return [...counts].map(([name, value]) => ({
    labels: { ...server(address), [label]: name },
    value,
  }))
}
