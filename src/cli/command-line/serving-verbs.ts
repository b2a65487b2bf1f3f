/** The verbs that serve DNS: run, demo, node-cache. */

import type { Override } from '../../config/load.ts'
import { configFlag, type FlagDefinition, type VerbDefinition } from './definition.ts'
import { portRule } from './number-flag.ts'

interface SettingFlag extends FlagDefinition {
  readonly path: Override['path']
}

/** The settings that have a flag of their own. */
export const settingFlags: Readonly<Record<`--${string}`, SettingFlag>> = {
  '--listen': {
    value: 'IP:PORT',
    repeats: true,
    path: ['listen'],
    what: 'address to serve',
    otherwise: '127.0.0.1:5353',
  },
  '--cluster-domain': {
    value: 'DOMAIN',
    path: ['clusterDomain'],
    what: 'goes to the cluster upstreams',
    otherwise: 'cluster.local',
  },
  '--cluster-upstream': {
    value: 'IP:PORT',
    repeats: true,
    path: ['cluster', 'upstreams'],
    what: 'CoreDNS; TCP unless udp://, tls://',
  },
  '--upstream': {
    value: 'IP:PORT',
    repeats: true,
    path: ['external', 'upstreams'],
    what: 'all else; tls://IP[#name]',
    otherwise: 'resolv.conf',
  },
  '--admin': {
    value: 'IP:PORT',
    repeats: true,
    path: ['admin', 'listen'],
    what: 'metrics, health, readiness, explain',
    otherwise: 'off',
  },
  '--log-level': {
    value: 'LEVEL',
    path: ['log', 'level'],
    what: 'how much is logged',
    otherwise: 'info',
    suggestions: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
  },
  '--io': {
    value: 'WAY',
    path: ['io'],
    what: 'how UDP is read: auto, portable, batched',
    otherwise: 'auto',
    suggestions: ['auto', 'portable', 'batched'],
  },
}

export const servingVerbs = [
  {
    name: 'run',
    what: 'serve DNS until SIGTERM; also without the word `run`',
    words: [],
    flags: { '--config': configFlag, ...settingFlags },
    about: [
      'Flags win over the file, which takes all settings (docs/configuration.md). The file is read again when it changes, and on SIGHUP and SIGUSR1; SIGUSR2 logs the state.',
    ],
    examples: [
      'run --config neardns.yaml',
      'run --cluster-upstream 10.96.0.11 --admin 127.0.0.1:9253',
    ],
  },
  {
    name: 'demo',
    what: 'a cluster, the Internet and neardns in one process',
    words: [],
    flags: {
      '--once': { what: 'end when the account is told' },
      '--port': {
        value: 'PORT',
        what: 'port of 127.0.0.1 to serve on',
        otherwise: '5353',
        number: portRule,
      },
    },
    about: ['Needs no network, no root and no file. Keeps serving until Ctrl-C.'],
    examples: ['demo', 'demo --once --port 5454'],
  },
  {
    name: 'node-cache',
    what: 'in the place of NodeLocal DNSCache, with its arguments',
    words: [],
    flags: {},
    about: [
      "Takes the arguments of NodeLocal DNSCache's program: neardns node-cache -help lists them. docs/nodelocal.md says what differs.",
    ],
    examples: ['node-cache -localip 169.254.20.10 -conf /etc/Corefile'],
  },
] as const satisfies readonly VerbDefinition[]
