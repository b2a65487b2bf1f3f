/** Addresses to listen on as Go's net.Listen takes them: `IP:port`, `[IP]:port`, and `:port` for all addresses of both families. */
import { type Endpoint, type Parsed, parseEndpoint } from '../config/address.ts'

/** `all`: a bare port. Go opens one socket for both families then. */
export type GoListen = Endpoint & { readonly all: boolean }

export function parseGoListen(text: string): Parsed<GoListen> {
  const isBare = text.startsWith(':')
  const parsed = parseEndpoint(isBare ? `[::]${text}` : text.replace(/^localhost:/, '127.0.0.1:'))
  return parsed.ok ? { ok: true, value: { ...parsed.value, all: isBare } } : parsed
}
