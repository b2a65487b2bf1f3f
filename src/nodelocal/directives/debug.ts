/** `debug`. Source: plugin/debug/debug.go of CoreDNS 1.14. */
import type { Words } from '../../corefile/words.ts'
import { refuseCount } from '../reading.ts'

export function readDebug(words: Words): true {
  while (words.next()) if (words.nextArgument()) refuseCount(words, 'debug')
  return true
}
