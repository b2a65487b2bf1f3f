/** Settings of the admin pages and the operator's API. Declares them only. */
import type { Endpoint } from '../address/endpoint.ts'
import type { Parsed } from './address.ts'
import { parseDomainName } from './domain-name.ts'
import { listenAddress } from './listener-settings.ts'
import {
  choice,
  filePath,
  list,
  listOrOne,
  onOff,
  optionalText,
  parsed,
  section,
  text,
  whole,
} from './setting.ts'

/** Linux: `sun_path` has 108 bytes; the socket is made under a name that is up to 12 longer, then renamed. */
const pathBytesMax = 95

const privateSocket = {
  what: 'auto, none, or the path of a Unix socket',
  parse: (written: string): Parsed<'auto' | 'none' | `/${string}`> => {
    if (written === 'auto' || written === 'none') return { ok: true, value: written }
    const rest = written.slice(1)
    if (!written.startsWith('/') || rest === '') {
      const why = `${JSON.stringify(written)} is no absolute path; expected auto, none, or a path such as /run/neardns/admin.sock`
      return { ok: false, why }
    }
    if (Buffer.byteLength(written) > pathBytesMax)
      return { ok: false, why: `is too long; at most ${pathBytesMax} bytes` }
    return { ok: true, value: `/${rest}` }
  },
  examples: ['auto', '/run/neardns/admin.sock'],
}

const hostName = { what: 'a host name', parse: parseDomainName, examples: ['node-1.example.com'] }

export function adminSection() {
  return section("Metrics, health, readiness and the operator's API.", {
    listen: listOrOne({
      of: parsed<Endpoint>(listenAddress),
      what: 'IP addresses with port',
      max: 16,
      about:
        'Addresses of the admin pages, each with all of them; none turns them off. One address may be written without a list.',
    }),
    hostNames: list({
      of: parsed(hostName),
      what: 'names of this node',
      max: 16,
      default: [],
      about:
        'Names by which the admin pages may be asked, as http://NAME:9253/metrics, besides IP addresses and localhost. Any other name gets 421: a web page in a browser that asks this DNS could have its own name point here (DNS rebinding).',
    }),
    whenTaken: choice({
      of: ['end', 'retry'],
      default: 'end',
      about:
        'What happens at the start when an admin address cannot be listened on. End: the start fails, since probes would never be answered. Retry: DNS is served, and the address is tried again every 5 s.',
    }),
    socket: text({
      ...privateSocket,
      default: 'auto',
      about:
        'Unix socket of the operator: pages and commands that tell names or clients, or change something (explain, cache, slow, tail). Only root and the user of the daemon are answered. Auto: /run/neardns/admin.sock if that directory is there, else neardns-admin.sock in $XDG_RUNTIME_DIR, else none. One that cannot be had is logged, and DNS is served. Linux.',
    }),
    olderNames: onOff({
      default: false,
      about:
        'Also publishes metrics under the names that they had before CoreDNS 1.7 (2020), for dashboards such as 5926 of Grafana. docs/metrics.md has the list.',
    }),
    slowMs: whole({
      default: 200,
      min: 1,
      max: 60_000,
      unit: 'ms',
      about:
        'A query that waited for an upstream and took at least this long is kept for `neardns slow`, with the time in each phase.',
    }),
    recordedMax: whole({
      default: 256,
      min: 0,
      max: 10_000,
      unit: 'queries',
      about:
        'Slow queries kept for `neardns slow`, and as many failed ones for `neardns failures`; the oldest go first. Some 600 bytes each. 0 keeps none.',
    }),
    podNames: onOff({
      default: false,
      about:
        'Names the pods of clients (namespace/pod) to those who may see clients: top, tail, slow, failures, the status page. Reads the pods of the own node from the Kubernetes API, which has to allow it to the service account (the chart: podNames.enabled), and needs NODE_NAME in the environment; where it cannot, clients are addresses.',
    }),
    tokenFile: optionalText({
      ...filePath('the path of a file with a token'),
      about:
        'File whose first line is a token: 16 to 512 letters, digits or -._~+/, as `openssl rand -hex 32` writes; a shorter one could be guessed, opens nothing, and is logged. Who sends it as `Authorization: Bearer` to an address of admin.listen may do there what the socket allows, but for loading a cache. Read at each request. Null: over HTTP there are metrics, probes and sums only, also for the node itself.',
    }),
  })
}
