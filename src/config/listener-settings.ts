/** Settings of the sockets that clients talk to. */
import { parseListen } from './address.ts'
import { onOff, section, whole } from './setting.ts'

export const listenAddress = {
  what: 'an IP address with port such as 127.0.0.1:5353',
  parse: (written: string) => parseListen(written),
  examples: ['127.0.0.1:5353', '169.254.20.10:53', '[::1]:5353'],
}

export function sharePorts() {
  return onOff({
    default: false,
    about:
      'Listen with SO_REUSEPORT, as CoreDNS does: another process that does so too may have the same addresses at the same time, and the kernel divides the clients between the two. Not for sockets that are handed over or shared by workers.',
  })
}

export function udpSection() {
  return section('UDP towards clients.', {
    receiveBufferBytes: whole({
      default: 4_194_304,
      min: 4096,
      max: 268_435_456,
      unit: 'bytes',
      about:
        "Socket buffer requested; the usual 212992 holds 256 small queries, 13 ms at 20,000 q/s. The kernel's rmem_max caps it.",
    }),
    replyBytesMax: whole({
      default: 1232,
      min: 512,
      max: 4096,
      unit: 'bytes',
      about:
        'Larger replies are truncated whatever the client offers; 1232 avoids IP fragments (DNS Flag Day 2020).',
    }),
    sendQueueMax: whole({
      default: 1000,
      min: 1,
      max: 1_000_000,
      unit: 'datagrams',
      about:
        'Replies waiting in the process for the kernel; beyond it they are dropped, because libuv queues without bound.',
    }),
  })
}

export function tcpSection() {
  return section('TCP towards clients (RFC 7766).', {
    ...sharedLimits(),
    idleMs: whole({
      default: 10_000,
      min: 100,
      max: 600_000,
      unit: 'ms',
      about:
        'An idle connection is closed after this time, which clients that send the keepalive option are told (RFC 7828).',
    }),
    messageMs: whole({
      default: 2000,
      min: 100,
      max: 60_000,
      unit: 'ms',
      about:
        'Time from the first byte of a query to its last; stops clients that send a byte at a time to hold connections.',
    }),
    pipelineMax: whole({
      default: 100,
      min: 1,
      max: 10_000,
      unit: 'queries',
      about: 'Unanswered queries on one connection; reading pauses beyond it.',
    }),
    writeQueueBytesMax: whole({
      default: 65_536,
      min: 4096,
      max: 16_777_216,
      unit: 'bytes',
      about: 'Replies that a client has not taken yet; reading pauses beyond it.',
    }),
    writeStallMs: whole({
      default: 5000,
      min: 100,
      max: 60_000,
      unit: 'ms',
      about: 'A client that takes no data for this long is disconnected.',
    }),
    malformedMax: whole({
      default: 8,
      min: 1,
      max: 1000,
      unit: 'queries',
      about:
        'Queries in a row that are answered FORMERR or NOTIMP; then the connection is closed. A proxy may pass on a few broken ones, garbage is nothing else.',
    }),
    lifetimeMs: whole({
      default: 300_000,
      min: 1000,
      max: 86_400_000,
      unit: 'ms',
      about: 'A connection is closed at this age, busy or not, once its open queries are answered.',
    }),
  })
}

/** Of all connections together. */
function sharedLimits() {
  return {
    connectionsMax: whole({
      default: 1024,
      min: 1,
      max: 65_536,
      unit: 'connections',
      about: 'Open at once, of all clients together; each costs a file descriptor and buffers.',
    }),
    connectionsPerClientMax: whole({
      default: 64,
      min: 1,
      max: 65_536,
      unit: 'connections',
      about: 'Open at once from one address, so that one pod cannot take them all.',
    }),
    unsentBytesMax: whole({
      default: 16_777_216,
      min: 65_536,
      max: 1_073_741_824,
      unit: 'bytes',
      about:
        'Replies that clients have not taken, of all connections together. A client may leave as many bytes as are free, so half of them alone; beyond that its connections are not read while more than 4096 bytes wait on them, and when none is free one with more than writeQueueBytesMax is closed.',
    }),
  }
}
