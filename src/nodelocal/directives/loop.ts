/** `loop`. Source: plugin/loop/setup.go of CoreDNS 1.14. */
import type { Words } from '../../corefile/words.ts'
import { refuseCount, refuseSecond } from '../reading.ts'

export function readLoop(words: Words): true {
  for (let times = 0; words.next(); times++) {
    if (times > 0) refuseSecond(words, 'loop')
    if (words.nextArgument()) refuseCount(words, 'loop')
  }
  return true
}
