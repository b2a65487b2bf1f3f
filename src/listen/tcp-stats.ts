/** The counts of a TCP listener: plain numbers, read when metrics are collected. */

/** Why a connection ended; labels a metric. */
export const tcpCloseReasons = [
  'peer', // the client closed it
  'error', // reset by the client, or another socket error
  'idle',
  'message-timeout',
  'lifetime',
  'write-stalled', // the client does not read
  'bad-length', // a message shorter than a DNS header
  'dropped-query', // a message that the handler did not answer
  'malformed', // too many messages in a row that were no query
  'memory', // too many bytes in unfinished messages
  'evicted', // closed to make room for another connection
  'drain', // we are stopping
  'handed-over', // the process that takes over has it
] as const
export type TcpCloseReason = (typeof tcpCloseReasons)[number]

export interface TcpStats {
  /** Connections accepted from the kernel, including refused ones. */
  readonly accepted: number
  readonly open: number
  /** Refused (RST) because every connection, or every one of that client, had a query in flight. */
  readonly refused: number
  readonly closed: Readonly<Record<TcpCloseReason, number>>
  /** Messages passed to the handler. */
  readonly received: number
  /** Replies written or queued. */
  readonly sent: number
  /** Exceptions from `QueryHandler.handle`; each is a bug, and cost a connection. */
  readonly handlerDefects: number
  /** Errors of the listening socket, by errno name. EMFILE: the process is out of file descriptors. */
  readonly acceptErrors: ReadonlyMap<string, number>
}

/** The writable side, for the listener and its sessions. */
export class TcpCounts implements TcpStats {
  accepted = 0
  open = 0
  refused = 0
  readonly closed: Record<TcpCloseReason, number> = {
    peer: 0,
    error: 0,
    idle: 0,
    'message-timeout': 0,
    lifetime: 0,
    'write-stalled': 0,
    'bad-length': 0,
    'dropped-query': 0,
    malformed: 0,
    memory: 0,
    evicted: 0,
    drain: 0,
    'handed-over': 0,
  }
  received = 0
  sent = 0
  handlerDefects = 0
  readonly acceptErrors = new Map<string, number>()
}
