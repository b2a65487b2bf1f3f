/** The addresses of `health`, `ready` and `prometheus`. Every one of them serves all pages. */
import { formatEndpoint } from '../../address/endpoint.ts'
import { isLinkLocal, parseIpAddress } from '../../address/ip-address.ts'
import type { Block } from '../blocks.ts'
import type { AdminPlace } from '../directives/prometheus.ts'
import { type Complaint, quoted } from '../reading.ts'
import { withoutCovered } from './listeners.ts'

export interface AdminListen {
  /** Without repetitions, in the order of the file. */
  readonly listen: readonly string[]
  readonly complaints: readonly Complaint[]
}

export function adminListen(blocks: readonly Block[]): AdminListen {
  const complaints: Complaint[] = []
  const places = blocks
    .flatMap(({ has }) => [has.health?.address ?? [], has.ready ?? [], has.prometheus ?? []])
    .flat()
  const listen = places.flatMap((place) => {
    const texts = endpoints(place)
    if (texts.length === 0) complaints.push(refused(place))
    return texts
  })
  return { listen: withoutCovered([...new Set(listen)]), complaints }
}

function endpoints({ host, port: text }: AdminPlace): string[] {
  const port = /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined
  if (port === undefined) return []
  // Both families, as Go listens on.
  const hosts = host === '' ? ['0.0.0.0', '::'] : [host === 'localhost' ? '127.0.0.1' : host]
  return hosts.flatMap((one) => {
    const address = parseIpAddress(one)
    return address === undefined || isLinkLocal(address)
      ? []
      : [formatEndpoint({ ...address, port })]
  })
}

function refused({ host, port, place }: AdminPlace): Complaint {
  const message = `${quoted(`${host}:${port}`)} is no address to listen on`
  return { ...place, message, cure: 'write an IP address and a port, as 169.254.20.10:8080' }
}
