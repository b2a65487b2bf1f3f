/**
 * Names and clients in a report: covered unless they are asked for, label by label, so that equal ones stay equal and the cluster's own
 * labels stay readable. The cover is keyed, and the key ends with the run. Pure: the hash comes from outside.
 */
import { presentName } from '../wire/name.ts'

export interface Cover {
  /** Such as `k3f9a2c1.shop.svc.cluster.local.` @param name folded wire form, one character a byte */
  name(name: string): string
  client(address: string): string
}

export const uncovered: Cover = {
  name: (name) => presentName(Buffer.from(name, 'latin1'), 0),
  client: (address) => address,
}

/** The labels that every cluster has. */
const plainLabels: ReadonlySet<string> = new Set(['svc', 'pod', '_tcp', '_udp'])

/**
 * @param hash keyed; its text is what a label or a client becomes
 * @param domain cluster domain, with a dot at its end
 */
export function covered(hash: (text: string) => string, domain: string): Cover {
  return {
    name(name) {
      const text = uncovered.name(name)
      const isInside = text === domain || text.endsWith(`.${domain}`)
      const own = isInside ? text.slice(0, -domain.length) : text
      const labels = own.split('.').map((label) => {
        if (label === '') return label
        return isInside && plainLabels.has(label) ? label : hash(label)
      })
      return (labels.join('.') || '') + (isInside ? domain : '')
    },
    client: (address) => `client-${hash(address)}`,
  }
}
