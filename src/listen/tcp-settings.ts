/** The limits of TCP service to clients, named as in the configuration. Types only. */

/** Limits of one connection. */
export interface TcpSessionSettings {
  /** A connection without a query for this long is closed (RFC 7766 6.2.3); RFC 7828 tells clients the value. */
  readonly idleMs: number
  /** From the first byte of a message to its last, however slowly they come. */
  readonly messageMs: number
  /** Queries in flight; at this number the connection is not read. */
  readonly pipelineMax: number
  /** Unsent reply bytes; above this the connection is not read. */
  readonly writeQueueBytesMax: number
  /** A client that has not read its waiting replies after this long is cut off. */
  readonly writeStallMs: number
  /**
   * Replies in a row that say FORMERR or NOTIMP, after which the connection is closed. More than one, because a proxy's connection carries
   * a broken query of a client of its own now and then; few, because a client that sends nothing else would be answered for ever.
   */
  readonly malformedMax: number
  /** Maximum age of a connection. */
  readonly lifetimeMs: number
}

/** Limits of all connections together. */
export interface TcpConnectionCaps {
  /** Over all listeners. */
  readonly connectionsMax: number
  /** Per source address, so that one pod cannot take them all. */
  readonly connectionsPerClientMax: number
  /** Replies that clients have not taken. A client may leave as many bytes as are free; beyond that its connections are not read. */
  readonly unsentBytesMax: number
}

export interface TcpSettings extends TcpSessionSettings, TcpConnectionCaps {}
