/**
 * Every setting, once: default, bounds, unit and reason. The TypeScript types, the JSON Schema, the defaults and
 * docs/configuration.md come from here. Says nothing about where values come from: that is load.ts.
 */

import type { Endpoint } from '../address/endpoint.ts'
import { localSections } from '../local/settings.ts'
import { adminSection } from './admin-settings.ts'
import { cacheSection } from './cache-settings.ts'
import { questionsMaxDefault } from './exchange-settings.ts'
import { clusterSection, domainName, externalSection, zoneList } from './group-settings.ts'
import { handoverSection } from './handover-settings.ts'
import { interceptionSection, kernelHitsSection } from './interception-settings.ts'

import { listenAddress, sharePorts, tcpSection, udpSection } from './listener-settings.ts'
import { logSection } from './log-settings.ts'
import type { Origins } from './problem.ts'

import { searchPathSection } from './search-settings.ts'
import {
  choice,
  type DeepReadonly,
  item,
  type JsonSchema,
  list,
  parsed,
  section,
  text,
  toJsonSchema,
  type ValueOf,
  whole,
} from './setting.ts'

export const configSchema = item('Configuration of neardns.', {
  listen: list({
    of: parsed<Endpoint>(listenAddress),
    what: 'IP addresses with port',
    min: 1,
    max: 32,
    default: ['127.0.0.1:5353'],
    about: 'Addresses served, each over both UDP and TCP.',
  }),
  clusterDomain: text({
    ...domainName,
    default: 'cluster.local',
    about: "The cluster's DNS domain; names below it go to the cluster group only.",
  }),
  io: choice({
    of: ['auto', 'portable', 'batched'],
    default: 'auto',
    about:
      "How UDP is read and written. Batched: 64 datagrams per system call (Linux, x64 and arm64). Portable: Node's own sockets. Auto: batched where it is available.",
  }),
  cluster: clusterSection(),
  external: externalSection(),
  zones: zoneList(),
  interception: interceptionSection(),
  kernelHits: kernelHitsSection(),
  searchPath: searchPathSection(),
  ...localSections,
  cache: cacheSection(),
  inFlight: section('Questions that wait for an upstream.', {
    questionsMax: whole({
      default: questionsMaxDefault,
      min: 1,
      max: 1_000_000,
      unit: 'questions',
      about:
        'Different questions in flight; beyond it a new question gets a stale answer or SERVFAIL at once. One client may have half of them, one domain a third, one group of upstreams two thirds, and less while others have many.',
    }),
    waitersMax: whole({
      default: 20_000,
      min: 1,
      max: 10_000_000,
      unit: 'queries',
      about:
        'Unanswered queries of all clients together. One client may have as many as are free, and waitersPerClientMax at most; a query takes some 600 bytes.',
    }),
    waitersPerQuestionMax: whole({
      default: 1000,
      min: 1,
      max: 100_000,
      unit: 'clients',
      about:
        'Clients that share one question in flight; bounds the work that one answer can cause. One client may have half of them.',
    }),
    waitersPerClientMax: whole({
      default: 2500,
      min: 1,
      max: 1_000_000,
      unit: 'questions',
      about:
        'Unanswered queries of one client address, joined ones included: half of questionsMax, which is what one client may have.',
    }),
    missesPerClientPerSecond: whole({
      default: 0,
      min: 0,
      max: 1_000_000,
      unit: 'questions per second',
      about:
        'New upstream questions of one client address, 0 for no limit; beyond it UDP clients are sent to TCP, and TCP clients are refused.',
    }),
  }),
  aliases: section(
    'Aliases (CNAME, DNAME) that lead from the names of one group to those of another.',
    {
      crossingsMax: whole({
        default: 11,
        min: 1,
        max: 16,
        unit: 'crossings',
        about:
          'Crossings from group to group in one answer; beyond it, as in a circle, the answer is SERVFAIL. Bounds the questions that one query can cause, and the time it can take. Unbound follows as many.',
      }),
    },
  ),
  sharePorts: sharePorts(),
  udp: udpSection(),
  tcp: tcpSection(),
  admin: adminSection(),
  log: logSection(),
  drain: section('What happens on SIGTERM.', {
    deadlineMs: whole({
      default: 5000,
      min: 0,
      max: 600_000,
      unit: 'ms',
      about:
        'Time for open questions after the listeners have closed; keep it below terminationGracePeriodSeconds.',
    }),
  }),
  handover: handoverSection(),
  workers: whole({
    default: 1,
    min: 1,
    max: 64,
    unit: 'processes',
    about:
      'Processes that serve, each with a share of the limits on cache, connections and questions; one is usually enough. More than one requires Linux.',
  }),
  supervisor: choice({
    of: ['auto', 'always'],
    default: 'auto',
    about:
      'A parent process that holds the sockets and replaces a worker that ends, is killed or hangs; the new worker answers the queries that wait in them. Auto: with several workers. Always: with one worker as well, at the cost of another process.',
  }),
  memory: section('Memory of the process.', {
    heapPercent: whole({
      default: 50,
      min: 10,
      max: 90,
      unit: 'percent',
      about:
        "V8's old space as a share of the cgroup's limit; by itself V8 treats a cgroup of 60 MiB as one of 512 MiB.",
    }),
  }),
})

/** A complete, valid configuration: every setting has a value, every address is parsed. */
export type Config = DeepReadonly<ValueOf<typeof configSchema>> & {
  /** Where its values came from; of a configuration that is to be used. */
  readonly origins?: Origins
}
export type UdpSettings = Config['udp']
export type TcpSettings = Config['tcp']
export type InterceptionSettings = Config['interception']

/** JSON Schema of the configuration file, for editors and for docs/configuration.md. */
export function configJsonSchema(): JsonSchema {
  return toJsonSchema(configSchema)
}
