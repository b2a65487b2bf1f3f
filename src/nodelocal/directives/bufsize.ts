/** `bufsize [BYTES]`: the most that a client and an upstream are told. Source: plugin/bufsize/setup.go of CoreDNS 1.14. */
import type { Words } from '../../corefile/words.ts'
import { integer, refuse, refuseCount } from '../reading.ts'

const bytesDefault = 1232

/** @returns bytes, 512 to 4096. CoreDNS reads the first one only */
export function readBufsize(words: Words): number {
  words.next()
  const [size, ...more] = words.rest()
  if (size === undefined) return bytesDefault
  if (more.length > 0) refuseCount(words, 'bufsize [BYTES]')
  const bytes = integer(size, 'a number of bytes')
  if (bytes >= 512 && bytes <= 4096) return bytes
  return refuse(size.place, `\`bufsize\` is ${size.text}`, 'write 512 to 4096')
}
