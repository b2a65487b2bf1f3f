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

/** @returns the name of codes 0-23, otherwise `other`: the label stays a closed set whatever an upstream sends */
export function rcodeName(rcode: number): string {
  return names[rcode] ?? 'other'
}
