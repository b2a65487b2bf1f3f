/** The verbs by which an operator looks into a running daemon, and changes what it holds. */
import { adminFlags, jsonFlag, type VerbDefinition } from './definition.ts'

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
      '--limit': { value: 'N', what: 'ls: entries at most', otherwise: '1000' },
      '--json': jsonFlag,
      ...adminFlags,
    },
    examples: ['cache ls shop.svc.cluster.local', 'cache flush www.example.com'],
  },
] as const satisfies readonly VerbDefinition[]
