/** The verbs that ask a server that is running: query, explain. */
import { adminFlags, jsonFlag, type VerbDefinition, type WordDefinition } from './definition.ts'

const typeWord: WordDefinition = {
  name: 'TYPE',
  isOptional: true,
  suggestions: ['A', 'AAAA', 'CNAME', 'HTTPS', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'],
}

export const askingVerbs = [
  {
    name: 'query',
    what: 'ask a server as a pod would, and print the reply',
    words: [{ name: 'NAME' }, typeWord],
    flags: {
      '--server': { value: 'IP:PORT', what: 'whom to ask', otherwise: '127.0.0.1:5353' },
      '--tcp': { what: 'over TCP; else over UDP first' },
      '--json': jsonFlag,
    },
    about: [
      'The type is A unless given; an IP address is asked for its PTR record. NXDOMAIN and SERVFAIL are replies too.',
    ],
    examples: ['query example.com AAAA', 'query 10.96.0.10 --server 169.254.20.10:53'],
    exits: '0 a reply, 1 none, 2 wrong command line',
  },
  {
    name: 'explain',
    what: 'what a name would get now, and why',
    words: [{ name: 'NAME' }, typeWord],
    flags: {
      '--as-pod': { value: 'NAMESPACE', what: 'each name that a pod there would try' },
      '--search': { value: 'DOMAIN[,DOMAIN]', what: 'each name along this list' },
      '--ndots': {
        value: 'N',
        what: 'dots of a name that is tried first',
        otherwise: '1; pods 5',
        // resolv.conf(5)
        number: { min: 0, max: 15 },
      },
      '--cluster-domain': { value: 'DOMAIN', what: 'for --as-pod', otherwise: 'cluster.local' },
      '--trace': { what: 'ask for real as well, and time it' },
      '--server': { value: 'IP:PORT', what: 'whom --trace asks', otherwise: '127.0.0.1:5353' },
      ...adminFlags,
      '--json': jsonFlag,
    },
    about: [
      'The type is A unless given, PTR for an IP address. Without --trace it asks nobody and changes nothing.',
    ],
    examples: [
      'explain www.example.com.shop.svc.cluster.local',
      'explain www.example.com --as-pod shop',
      'explain payments --as-pod shop --trace --server 169.254.20.10',
    ],
  },
] as const satisfies readonly VerbDefinition[]
