/** An upstream as a value and as a URL, which names it in settings, logs, metrics and outcomes. */
import { type Endpoint, formatEndpoint } from './endpoint.ts'

/** `udp` means UDP, with TCP to the same address when the reply is truncated. */
export type UpstreamTransport = 'udp' | 'tcp' | 'tls'

export interface Upstream extends Endpoint {
  readonly transport: UpstreamTransport
  /** Name that the server's certificate must carry; absent: its IP address. */
  readonly tlsName?: string
}

/** `udp://10.0.0.2:53`, `tls://1.1.1.1:853#one.one.one.one`; `parseUpstream` reads it back to the same value. */
export function formatUpstream(upstream: Upstream): string {
  const name = upstream.tlsName === undefined ? '' : `#${upstream.tlsName}`
  return `${upstream.transport}://${formatEndpoint(upstream)}${name}`
}
