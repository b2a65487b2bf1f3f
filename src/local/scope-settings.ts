/** Settings that items of several local stages share: for which names they are, and which names they pass on. */
import type { Parsed } from '../config/address.ts'
import { parseDomainName } from '../config/domain-name.ts'
import { list, parsed } from '../config/setting.ts'

const zonesMax = 256
const zone = { what: 'a domain name, or . for the root', parse: parseZone }

/** @returns as `parseDomainName`, or `.` */
function parseZone(text: string): Parsed<string> {
  return text === '.' ? { ok: true, value: text } : parseDomainName(text)
}

export function scopeSettings() {
  return {
    zones: list({
      of: parsed(zone),
      what: 'zones',
      min: 1,
      max: zonesMax,
      default: ['.'],
      about: 'The names that this is for: those at and below these.',
    }),
    except: list({
      of: parsed(zone),
      what: 'zones',
      max: zonesMax,
      default: [],
      about: 'Names that it is not for: those at and below these.',
    }),
  }
}

export function zoneList(about: string) {
  return list({ of: parsed(zone), what: 'zones', max: zonesMax, default: [], about })
}
