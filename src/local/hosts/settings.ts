/** Settings of names with addresses from files of hosts(5) and from the configuration. */
import type { Parsed } from '../../config/address.ts'
import { item, list, onOff, optionalText, parsed, whole } from '../../config/setting.ts'
import { scopeSettings, zoneList } from '../scope-settings.ts'
import { readHostsLine } from './table.ts'

const hostsMax = 64
const entriesMax = 4096

const entry = {
  what: 'an address and names',
  parse: parseEntry,
  examples: ['192.0.2.1 nas.lan.example nas'],
}

export function hostsList() {
  return list({
    of: item('Names with addresses, from a file and from here.', {
      ...scopeSettings(),
      file: optionalText({
        what: 'the path of a file',
        parse: (path: string): Parsed<string> =>
          path === ''
            ? { ok: false, why: 'is empty; expected the path of a file' }
            : { ok: true, value: path },
        examples: ['/etc/hosts'],
        about:
          'File in the form of hosts(5), of at most 16 MiB. One that is missing has no names until it appears. Null: no file.',
      }),
      entries: list({
        of: parsed(entry),
        what: 'entries',
        max: entriesMax,
        default: [],
        about:
          'Lines as in the file. A name that begins with `*.` stands for every name with one label in its place.',
      }),
      ttlSeconds: whole({
        default: 3600,
        min: 1,
        max: 65_535,
        unit: 'seconds',
        about:
          "TTL of the records; the `ttl` of the name's zone bounds it. CoreDNS has the same default and bounds.",
      }),
      reloadSeconds: whole({
        default: 5,
        min: 0,
        max: 86_400,
        unit: 'seconds',
        about: 'How often the file is looked at; 0: it is read once.',
      }),
      reverse: onOff({ default: true, about: 'Answer the reverse names of the addresses.' }),
      fallthrough: zoneList(
        'Zones of which other names go on to the stages behind. Other names that have no entry get SERVFAIL.',
      ),
      fallthroughUnsupported: onOff({
        default: false,
        about:
          'Questions for other types than A, AAAA and PTR go on as well, where `fallthrough` holds the name; otherwise a name with an entry has no data of them.',
      }),
    }),
    what: 'lists of hosts',
    max: hostsMax,
    default: [],
    about:
      'Names with addresses, as by the hosts plugin of CoreDNS. Behind the cache and templates, before upstreams.',
  })
}

/** @returns the line itself */
function parseEntry(line: string): Parsed<string> {
  if (readHostsLine(line) !== undefined) return { ok: true, value: line }
  return {
    ok: false,
    why: `${JSON.stringify(line)} is no entry; expected an address and at least one name, as in "192.0.2.1 nas.lan.example"`,
  }
}
