/** Response codes as CoreDNS writes them in labels (IANA DNS RCODEs; 16 is BADVERS, because TSIG is not supported). Owns no other name. */
import { rcodeNames } from '../wire/constants.ts'

const names: readonly string[] = [
  ...rcodeNames,
  'DSOTYPENI',
  'RCODE12',
  'RCODE13',
  'RCODE14',
  'RCODE15',
  'BADVERS',
  'BADKEY',
  'BADTIME',
  'BADMODE',
  'BADNAME',
  'BADALG',
  'BADTRUNC',
  'BADCOOKIE',
]
const other = 'other'

/** @returns the name of codes 0-23, otherwise `other`: the label stays a closed set whatever an upstream sends */
export function rcodeName(rcode: number): string {
  return names[rcode] ?? other
}

/** @returns the name as `rcodeName` gives it, in whatever case it was typed; undefined when no reply can have it */
export function knownRcodeName(text: string): string | undefined {
  const upper = text.toUpperCase()
  return [...names, other].find((name) => name.toUpperCase() === upper)
}
