/** `bind ADDRESS|INTERFACE... { except ADDRESS|INTERFACE... }`, of all directives together. Source: plugin/bind/setup.go of CoreDNS 1.14. */
import type { Word, Words } from '../../corefile/words.ts'
import { quoted, refuse } from '../reading.ts'

export interface BindDirective {
  /** Of each directive; addresses of an interface that `except` names are left out where it is read. */
  readonly parts: readonly { readonly bound: readonly Word[]; readonly except: readonly Word[] }[]
}

export function readBind(words: Words): BindDirective {
  const parts: { bound: readonly Word[]; except: readonly Word[] }[] = []
  while (words.next()) {
    const { place } = words
    const bound = words.rest()
    if (bound.length === 0) {
      const cure = 'write the addresses to serve, or leave `bind` out to serve all'
      refuse(place, '`bind` needs at least one address or interface', cure)
    }
    let except: readonly Word[] = []
    while (words.nextInBlock()) {
      const option = words.text
      if (option !== 'except') {
        refuse(words.place, `\`bind\` has no option ${quoted(option)}`, '`except` is known')
      }
      const optionPlace = words.place
      except = words.rest()
      if (except.length === 0) {
        refuse(optionPlace, '`except` needs at least one address or interface', 'or remove it')
      }
    }
    parts.push({ bound, except })
  }
  return { parts }
}
