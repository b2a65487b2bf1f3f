/** The verbs by which an operator looks into a running daemon, and changes what it holds. */
import { adminFlags, type FlagDefinition, jsonFlag, type VerbDefinition } from './definition.ts'
import { countRule } from './number-flag.ts'

const limitFlag: FlagDefinition = {
  value: 'N',
  what: 'queries at most',
  otherwise: '20',
  number: countRule,
}

export const operatorVerbs = [
  {
    name: 'cache',
    what: 'look into the cache of a daemon, and change it',
    words: [
      {
        name: 'ACTION',
        choices: {
          ls: 'entries, at and below a name',
          get: 'one name with its records',
          flush: 'forget a name; the next query asks anew',
          dump: 'write the cache to a file',
          load: 'read a dump; root alone',
        },
      },
      { name: 'NAME|FILE', isOptional: true, isFile: true },
      { name: 'TYPE', isOptional: true },
    ],
    flags: {
      '--subtree': { what: 'flush: names below it, too' },
      '--negative': { what: 'ls, flush: NXDOMAIN and NODATA only' },
      '--all': { what: 'flush: everything' },
      '--limit': {
        value: 'N',
        what: 'ls: entries at most',
        otherwise: '1000',
        number: { min: 1, max: 10_000 },
      },
      '--json': jsonFlag,
      ...adminFlags,
    },
    examples: ['cache ls shop.svc.cluster.local', 'cache flush www.example.com'],
  },
  {
    name: 'slow',
    what: 'the last slow queries, with the time in each phase',
    words: [],
    flags: { '--limit': limitFlag, '--json': jsonFlag, ...adminFlags },
    about: [
      'Slow is what was answered, and waited for an upstream for admin.slowMs (200 ms) or longer. What failed is in failures alone.',
    ],
    examples: ['slow', 'slow --limit 3 --json'],
  },
  {
    name: 'failures',
    what: 'the last failed queries, and whom they were asked of',
    words: [],
    flags: { '--limit': limitFlag, '--json': jsonFlag, ...adminFlags },
    examples: ['failures'],
  },
  {
    name: 'tail',
    what: 'queries as they come',
    words: [{ name: 'NAME', isOptional: true }],
    flags: {
      '--type': { value: 'TYPE', what: 'of this type' },
      '--client': { value: 'CLIENT', what: 'of this address, or of this pod: namespace/name' },
      '--rcode': {
        value: 'RCODE',
        what: 'answered so, for example NXDOMAIN',
        suggestions: ['NOERROR', 'NXDOMAIN', 'SERVFAIL'],
      },
      '--source': {
        value: 'SOURCE',
        what: 'answered from cacheSuccess, upstream, stale, ...',
        suggestions: ['cacheSuccess', 'cacheDenial', 'upstream', 'synthesised', 'stale', 'failed'],
      },
      '--slower': {
        value: 'MS',
        what: 'that took as long, or longer',
        number: { min: 0, max: 3_600_000, isFraction: true },
      },
      '--count': { value: 'N', what: 'end after so many', number: countRule },
      '--json': { what: 'one JSON object a line' },
      ...adminFlags,
    },
    about: [
      'At and below NAME. Costs the daemon nothing while nobody looks; what is too much to show is counted.',
    ],
    examples: ['tail shop.svc.cluster.local', 'tail --rcode SERVFAIL', 'tail --slower 100'],
  },
  {
    name: 'status',
    what: 'a running daemon on one screen',
    words: [],
    flags: {
      '--config': { what: 'settings in force, and where each came from' },
      '--json': jsonFlag,
      ...adminFlags,
    },
    about: [
      'Looks for a second. Needs no token: there are sums only. --config has names of zones and hosts, so over HTTP it needs one.',
    ],
    examples: ['status', 'status --admin 127.0.0.1:9253', 'status --config'],
    exits: '0 ready, 1 not ready or no answer, 2 wrong command line',
  },
  {
    name: 'top',
    what: 'queries, names, clients, upstreams, live',
    words: [],
    flags: {
      '--every': {
        value: 'SECONDS',
        what: 'between two looks',
        otherwise: '1',
        number: { min: 0.2, max: 60, isFraction: true },
      },
      '--count': { value: 'N', what: 'end after so many looks', number: countRule },
      '--json': { what: 'one JSON object a look' },
      ...adminFlags,
    },
    about: [
      'Keys: n names, c clients, r codes, s slowest, u upstreams; up and down choose, / filters, e explains, f flushes the chosen name, p pauses, q ends. Into a pipe: one line a look. NO_COLOR is respected.',
    ],
    examples: ['top', 'top --count 5 | cat'],
  },
] as const satisfies readonly VerbDefinition[]
