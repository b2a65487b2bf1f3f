/** The calls of the operator's API: what a call gets, and what it may return. Knows no part of the daemon; the server is in admin-server.ts. */
import type { IncomingMessage } from 'node:http'

export interface Page {
  readonly status: number
  readonly body: string
  /** Plain text by default. */
  readonly contentType?: string
  /** Besides those that every page has. */
  readonly headers?: Readonly<Record<string, string>>
  /** Sent in place of `body`, piece by piece, as the reader takes them. */
  readonly pieces?: AsyncIterable<Buffer>
}

export interface CallRequest {
  /** Of the query string. Every value is unchecked. */
  readonly params: URLSearchParams
  /** Empty unless the call takes one. */
  readonly body: Buffer
  /** The sender is user 0 of this machine, at the other end of the private socket. */
  readonly isRoot: boolean
}

/** One thing that an operator may ask for or do. */
export interface AdminCall {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Tells no name and no client, and changes nothing: needs no token. Default: false. */
  readonly isOpen?: boolean
  /** Others than root are refused before a body is read. Default: false. */
  readonly isForRoot?: boolean
  /** Bytes of a body; without it a body is not read. */
  readonly bodyBytesMax?: number
  /** A rejection becomes a 500 without details. */
  answer(request: CallRequest): Page | Promise<Page>
}

/** Indented by nothing: for programs. */
export function jsonPage(value: unknown, status = 200): Page {
  return { status, body: `${JSON.stringify(value)}\n`, contentType: 'application/json' }
}

/** A mistake in the request, or a refusal: one line for the person who asked. */
export function errorPage(status: number, error: string): Page {
  return jsonPage({ error }, status)
}

/** @returns undefined when it is longer than `bytesMax`, or the sender gives up */
export async function readBody(
  request: IncomingMessage,
  bytesMax: number,
): Promise<Buffer | undefined> {
  const pieces: Buffer[] = []
  let bytes = 0
  try {
    for await (const piece of request) {
      if (!Buffer.isBuffer(piece)) return undefined
      bytes += piece.length
      if (bytes > bytesMax) return undefined
      pieces.push(piece)
    }
  } catch {
    return undefined
  }
  return Buffer.concat(pieces, bytes)
}
