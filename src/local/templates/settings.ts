/** Settings of templates: answers made from the question by rules. */
import type { Parsed } from '../../config/address.ts'
import { choice, item, list, optionalText, parsed } from '../../config/setting.ts'
import { parseType } from '../../core/explain.ts'
import { rcodeNames } from '../../wire/constants.ts'
import { parsePatternText } from '../pattern/pattern.ts'
import { scopeSettings, zoneList } from '../scope-settings.ts'
import { checkRecordText } from './record-text.ts'

/** More than any Corefile that was found has; each costs a question that no cache answers some 100 ns. */
const templatesMax = 256
const patternsMax = 64
const recordsMax = 64

const pattern = {
  what: 'a regular expression',
  parse: parsePatternText,
  examples: ['^web-[0-9]+[.]'],
}
const recordText = {
  what: 'a record',
  parse: checkRecordText,
  examples: ['{{ .Name }} 60 IN A 192.0.2.{{ .Group.n }}'],
}
const qtype = { what: 'a record type, or ANY', parse: checkType, examples: ['A', 'AAAA', 'ANY'] }

export interface ExtendedError {
  readonly code: number
  readonly text: string
}

export function templateList() {
  return list({
    of: item('One template: a rule, and the answer that it gives.', {
      ...scopeSettings(),
      class: choice({
        of: ['IN', 'CH', 'HS', 'ANY'],
        default: 'IN',
        about: 'Class of the questions; ANY: every class.',
      }),
      type: parsed(qtype).meta({ description: 'Type of the questions; ANY: every type.' }),
      match: list({
        of: parsed(pattern),
        what: 'regular expressions',
        max: patternsMax,
        default: [],
        about:
          'Expressions in the syntax of RE2, matched anywhere in the name (lower case, with its trailing dot) in their order; the first that matches counts. Empty: every name.',
      }),
      answer: recordTexts('answer'),
      authority: recordTexts('authority'),
      additional: recordTexts('additional'),
      rcode: choice({
        of: rcodeNames,
        default: 'NOERROR',
        about: 'RCODE of the answer.',
      }),
      ede: optionalText<ExtendedError>({
        what: 'a code and, if wanted, a text',
        parse: parseExtendedError,
        examples: ['15 blocked here'],
        about: 'Extended DNS error (RFC 8914) of the answer; null: none.',
      }),
      fallthrough: zoneList(
        'Zones whose names go on to the next template, and then to the stages behind, when no expression matches. Other names that no expression matches get SERVFAIL.',
      ),
    }),
    what: 'templates',
    max: templatesMax,
    default: [],
    about:
      'Answers made from the question by rules, as by the template plugin of CoreDNS: the first template for the name, its class and its type decides. Behind the cache, before hosts and upstreams.',
  })
}

function recordTexts(section: string) {
  return list({
    of: parsed(recordText),
    what: 'records',
    max: recordsMax,
    default: [],
    about: `Records of the ${section} section, in presentation form, each a template text of Go with .Name, .Zone, .Group, .Match, .Type, .Class, .Remote and .Regex.`,
  })
}

export function checkType(text: string): Parsed<string> {
  if (parseType(text) !== undefined) return { ok: true, value: text.toUpperCase() }
  return { ok: false, why: `${JSON.stringify(text)} is no record type` }
}

function parseExtendedError(text: string): Parsed<ExtendedError> {
  const [, digits, words = ''] = /^(\d{1,5})(?:\s+(.*))?$/s.exec(text.trim()) ?? []
  const code = Number(digits)
  if (code <= 65_535) return { ok: true, value: { code, text: words } }
  return {
    ok: false,
    why: `${JSON.stringify(text)} is no extended error; expected a code up to 65535 and, if wanted, a text`,
  }
}
