/** The verbs that ask a server that is running: query, explain. */
import { adminFlags, type VerbDefinition, type WordDefinition } from './definition.ts'

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
    flags: adminFlags,
    about: ['Asks nobody and changes nothing.'],
    examples: ['explain www.example.com.shop.svc.cluster.local'],
  },
] as const satisfies readonly VerbDefinition[]
