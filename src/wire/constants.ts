/** Numbers of the DNS message format, under their registry names (IANA DNS parameters). */

/** RFC 1035 4.1.1: ID, flags, four counts. */
export const headerBytes = 12
/** RFC 1035 2.3.4: whole name on the wire, root byte included. */
export const nameBytesMax = 255
/** RFC 1035 2.3.4. */
export const labelBytesMax = 63
/** RFC 1035 4.2.1: what every client can take over UDP. */
export const udpBytesFloor = 512
/** RFC 1035 4.2.2: the maximum of the two-byte length prefix. */
export const messageBytesMax = 65535
/** RFC 6891 6.1.2: root owner, type, class, TTL, RDLENGTH. */
export const optFixedBytes = 11
/** TYPE, CLASS, TTL, RDLENGTH after the owner name of a record. */
export const recordFixedBytes = 10
/** Root owner plus the fixed part: no record is shorter. */
export const recordBytesMin = 11

/** Bits of the header's third byte. */
export const Flag1 = { qr: 0x80, aa: 0x04, tc: 0x02, rd: 0x01 } as const
/** Bits of the header's fourth byte. */
export const Flag2 = { ra: 0x80, z: 0x40, ad: 0x20, cd: 0x10 } as const

export const Opcode = { query: 0, notify: 4, update: 5 } as const

export const Rcode = {
  noerror: 0,
  formerr: 1,
  servfail: 2,
  nxdomain: 3,
  notimp: 4,
  refused: 5,
  /** RFC 6672 2.2: the name that a DNAME makes is too long. */
  yxdomain: 6,
  /** RFC 6891 9: needs the OPT record's upper eight bits. */
  badvers: 16,
} as const

/** RCODEs 0 to 10 as IANA and CoreDNS write them: those that a reply may have whatever its OPCODE and without EDNS. */
export const rcodeNames = [
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
] as const

export const RrType = {
  a: 1,
  ns: 2,
  md: 3,
  mf: 4,
  cname: 5,
  soa: 6,
  mb: 7,
  mg: 8,
  mr: 9,
  wks: 11,
  ptr: 12,
  hinfo: 13,
  minfo: 14,
  mx: 15,
  txt: 16,
  rp: 17,
  afsdb: 18,
  x25: 19,
  isdn: 20,
  rt: 21,
  nsapPtr: 23,
  sig: 24,
  key: 25,
  px: 26,
  gpos: 27,
  aaaa: 28,
  nxt: 30,
  srv: 33,
  naptr: 35,
  kx: 36,
  cert: 37,
  dname: 39,
  opt: 41,
  ds: 43,
  sshfp: 44,
  rrsig: 46,
  nsec: 47,
  dnskey: 48,
  nsec3: 50,
  nsec3param: 51,
  tlsa: 52,
  smimea: 53,
  ninfo: 56,
  talink: 58,
  cds: 59,
  cdnskey: 60,
  csync: 62,
  zonemd: 63,
  svcb: 64,
  https: 65,
  dsync: 66,
  spf: 99,
  nid: 104,
  l32: 105,
  l64: 106,
  lp: 107,
  eui48: 108,
  eui64: 109,
  tkey: 249,
  tsig: 250,
  ixfr: 251,
  axfr: 252,
  mailb: 253,
  maila: 254,
  any: 255,
  uri: 256,
  caa: 257,
  avc: 258,
  resinfo: 261,
  wallet: 262,
  cla: 263,
  ta: 32_768,
  dlv: 32_769,
} as const

export const RrClass = { in: 1, ch: 3, hs: 4, none: 254, any: 255 } as const

/** EDNS option codes (IANA). */
export const EdnsOption = { keepalive: 11, ede: 15 } as const

/** RFC 8914 extended error codes that we send. */
export const Ede = {
  other: 0,
  staleAnswer: 3,
  cachedError: 13,
  notReady: 14,
  prohibited: 18,
  staleNxdomain: 19,
  notAuthoritative: 20,
  noReachableAuthority: 22,
  networkError: 23,
} as const

/** EXTRA-TEXT of a code, where the code alone does not say what to do (RFC 8914 2). */
export const edeTexts: ReadonlyMap<number, Buffer> = new Map([
  [Ede.notAuthoritative, Buffer.from('names of the cluster are not asked outside it')],
])
