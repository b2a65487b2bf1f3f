/** A socket address, and the one way to print it. Parsing, with its complaints, is `config/address.ts`. */
import type { IpAddress } from './ip-address.ts'

export interface Endpoint extends IpAddress {
  /** 0-65535; 0 (the kernel chooses) only for a socket that listens. */
  readonly port: number
}

/** An `Endpoint`, or what Node says of a socket. */
type SocketPlace = Endpoint | Omit<Endpoint, 'family'>

/** `127.0.0.1:53`, `[::1]:53`. */
export function formatEndpoint({ address, port }: SocketPlace): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
