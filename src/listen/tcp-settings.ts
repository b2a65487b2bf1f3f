/** The limits of TCP service to clients, in the names of the configuration. Types only. */

/** Limits of one connection. */
export interface TcpSessionSettings {
  /** Without a query for this long a connection is closed (RFC 7766 6.2.3); RFC 7828 tells clients the value. */
  readonly idleMs: number
  /** From the first octet of a message to its last, however they drip. */
  readonly messageMs: number
  /** Queries in flight; at this number the connection is not read. */
  readonly pipelineMax: number
  /** Unsent reply octets; above it the connection is not read. */
  readonly writeQueueBytesMax: number
  /** A client that has not taken what waits for it after this long is cut off. */
  readonly writeStallMs: number
  /** After this long a connection is ended, so that none is for ever. */
  readonly lifetimeMs: number
}

/** Limits of all connections together. */
export interface TcpConnectionCaps {
  /** Over all listeners. */
  readonly connectionsMax: number
  /** Of one source address: one pod must not take them all. */
  readonly connectionsPerClientMax: number
}

export interface TcpSettings extends TcpSessionSettings, TcpConnectionCaps {}
