/** Response codes as CoreDNS writes them in labels (IANA DNS RCODEs; 16 is BADVERS, since TSIG is not spoken here). */
const names = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  'YXDOMAIN',
  'YXRRSET',
  'NXRRSET',
  'NOTAUTH',
  'NOTZONE',
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

/** @returns the name of codes 0-23, `other` above: labels are a closed set whatever an upstream sends */
export function rcodeName(rcode: number): string {
  return names[rcode] ?? 'other'
}
