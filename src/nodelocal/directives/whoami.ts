/** `whoami`. Source: plugin/whoami/setup.go of CoreDNS 1.14, which reads the first one only. */
import type { CorefilePlace } from '../../corefile/directive.ts'
import type { Words } from '../../corefile/words.ts'
import { refuseCount } from '../reading.ts'

export interface WhoamiDirective {
  readonly place: CorefilePlace
}

export function readWhoami(words: Words): WhoamiDirective {
  words.next()
  const { place } = words
  if (words.nextArgument()) refuseCount(words, 'whoami')
  return { place }
}
