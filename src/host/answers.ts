/** Whether a server listens at an address: one TCP handshake, without a query. */
import { createConnection } from 'node:net'
import type { Endpoint } from '../address/endpoint.ts'

/** CoreDNS is at most a few hops away. Below one second, because the kernel then repeats its SYN, which new rules might translate. */
const timeoutMs = 700

/** Never rejects. */
export function isListening({ address, port }: Endpoint): Promise<boolean> {
  return new Promise<boolean>((resolve) => {
    const socket = createConnection({ host: address, port, timeout: timeoutMs })
    const settle = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => settle(true))
    socket.once('timeout', () => settle(false))
    socket.once('error', () => settle(false))
  })
}
