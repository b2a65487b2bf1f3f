/** The verbs that work on files and on this node: validate, import, check, doctor, rules, completion. */

import {
  adminFlags,
  clusterUpstreamFlag,
  configFlag,
  diagnosisExits,
  jsonFlag,
  type VerbDefinition,
} from './definition.ts'
import { portRule } from './number-flag.ts'
import { settingFlags } from './serving-verbs.ts'

export const fileVerbs = [
  {
    name: 'validate',
    what: 'check a configuration, or a Corefile of node-cache',
    words: [{ name: 'FILE', isFile: true }],
    flags: { '--json': jsonFlag },
    about: [
      'Prints every mistake with file, line and correction, or a summary. FILE may be - for standard input, and a manifest of a ConfigMap that holds the file.',
    ],
    examples: ['validate neardns.yaml', 'validate - < Corefile', 'validate configmap.yaml'],
    exits: '0 right, 2 mistakes',
  },
  {
    name: 'import',
    what: 'print the configuration that serves what a Corefile does',
    words: [{ name: 'COREFILE', isFile: true }],
    flags: {
      '--port': {
        value: 'PORT',
        what: 'of zones that name none',
        otherwise: '53',
        number: portRule,
      },
      '--localip': { value: 'IP[,IP]...', what: '-localip of node-cache, for a template' },
      '--clusterdns': { value: 'IP', what: 'address of its -upstreamsvc, for a template' },
      '--coredns': {
        value: 'COREFILE',
        what: "CoreDNS's own, for names it is not asked about",
        isFile: true,
      },
      '--json': jsonFlag,
    },
    about: [
      'What differs on purpose is printed as comments (docs/nodelocal-differences.md). The manifest of a ConfigMap is unwrapped.',
    ],
    examples: [
      'import Corefile > neardns.yaml',
      'import Corefile.base --localip 169.254.20.10 --clusterdns 10.96.0.11',
    ],
    exits: '0 printed, 2 something cannot be taken over',
  },
] as const satisfies readonly VerbDefinition[]

export const nodeVerbs = [
  {
    name: 'check',
    what: 'whether this node will do, before anything runs',
    words: [],
    flags: { '--config': configFlag, ...settingFlags, '--json': jsonFlag },
    about: [
      'Kernel, kube-proxy, capabilities, addresses, ports, remains of NodeLocal DNSCache, with the commands that a start would run. Changes nothing. Flags as of run.',
    ],
    examples: ['check --config neardns.yaml'],
    exits: diagnosisExits,
  },
  {
    name: 'doctor',
    what: 'what is wrong with the neardns that runs here',
    words: [],
    flags: {
      '--config': configFlag,
      ...settingFlags,
      ...adminFlags,
      '--json': jsonFlag,
    },
    about: [
      'Asks it, its upstreams and the kernel. Without flags of run: as the one here was started.',
    ],
    examples: ['doctor'],
    exits: diagnosisExits,
  },
  {
    name: 'rehearse',
    what: "what it would do for this node's pods, before a switch",
    words: [],
    flags: {
      '--config': { ...configFlag, what: 'what is to be switched to: YAML, or a Corefile' },
      '--server': {
        value: 'IP',
        repeats: true,
        what: 'address that pods ask',
        otherwise: 'those of the file',
      },
      '--cluster-upstream': clusterUpstreamFlag,
      '--for': { value: 'TIME', what: 'how long: 90s, 5m, 1h', otherwise: '5m' },
      '--read': { value: 'PCAP', what: 'a file of tcpdump -i any instead', isFile: true },
      '--node-cache': { what: 'a cache on the node answers them', otherwise: 'as it is here' },
      '--names': { what: 'show names and clients; else hashed' },
      '--json': jsonFlag,
    },
    about: [
      "Listens beside the pods' DNS (NET_RAW), and replays their queries through an instance that is told what the pods were told. Asks nobody, changes nothing. docs/rehearse.md",
    ],
    examples: ['rehearse --config neardns.yaml --for 10m'],
    exits: '0 nothing stands in the way, 1 look into it, 2 wrong command line',
  },
  {
    name: 'rules',
    what: 'links, addresses and rules that neardns puts on this node',
    words: [
      {
        name: 'ACTION',
        choices: {
          show: 'what the configuration means for this node, and why',
          apply: 'install what lasts without a daemon',
          remove: 'take away everything of ours',
        },
      },
    ],
    flags: {
      '--config': configFlag,
      '--cluster-upstream': clusterUpstreamFlag,
      '--dry-run': { what: 'print the commands instead of running them' },
      '--json': { what: 'print JSON; with show or --dry-run' },
    },
    examples: ['rules show --config neardns.yaml', 'rules remove --config neardns.yaml --dry-run'],
  },
] as const satisfies readonly VerbDefinition[]

export const shellVerbs = [
  {
    name: 'completion',
    what: 'completion of verbs and flags for a shell',
    words: [
      {
        name: 'SHELL',
        choices: {
          bash: 'source <(neardns completion bash)',
          zsh: 'source <(neardns completion zsh)',
          fish: 'neardns completion fish | source',
        },
      },
    ],
    flags: {},
    examples: ['completion bash > /etc/bash_completion.d/neardns'],
  },
] as const satisfies readonly VerbDefinition[]
