/** Numbers of the kernel's interface for nf_tables: include/uapi/linux/netfilter/nf_tables.h and nfnetlink.h. */

/** NFNL_SUBSYS_NFTABLES: the high byte of a message's type; the low one is the message. */
export const subsystem = 10
export const batchBegin = 0x10
export const batchEnd = 0x11

export const Message = {
  newTable: 0,
  getTable: 1,
  deleteTable: 2,
  newChain: 3,
  getChain: 4,
  newRule: 6,
  getRule: 7,
  deleteRule: 8,
  newSet: 9,
  newElement: 12,
  getElement: 13,
  deleteElement: 14,
  getGeneration: 16,
} as const

/** NFPROTO_*. */
export const Family = { unspecified: 0, inet: 1, ip: 2, ip6: 10 } as const

export const Attribute = {
  tableName: 1,
  tableFlags: 2,
  chainTable: 1,
  chainName: 3,
  chainHook: 4,
  chainPolicy: 5,
  chainType: 7,
  hookNumber: 1,
  hookPriority: 2,
  ruleTable: 1,
  ruleChain: 2,
  ruleHandle: 3,
  ruleExpressions: 4,
  ruleUserData: 7,
  listElement: 1,
  expressionName: 1,
  expressionData: 2,
  setTable: 1,
  setName: 2,
  setFlags: 3,
  setKeyType: 4,
  setKeyLength: 5,
  setId: 10,
  elementsTable: 1,
  elementsSet: 2,
  elements: 3,
  elementKey: 1,
  elementData: 2,
  elementTimeout: 4,
  dataValue: 1,
  dataVerdict: 2,
  verdictCode: 1,
  verdictChain: 2,
  generationId: 1,
} as const

/** Attributes of expressions, by the expression's name. */
export const Expression = {
  payload: { destination: 1, base: 2, offset: 3, length: 4 },
  compare: { source: 1, operator: 2, data: 3 },
  meta: { destination: 1, key: 2 },
  bitwise: { source: 1, destination: 2, length: 3, mask: 4, xor: 5 },
  lookup: { set: 1, source: 2, destination: 3 },
  immediate: { destination: 1, data: 2 },
  numgen: { destination: 1, modulus: 2, type: 3 },
  nat: { type: 1, family: 2, address: 3, port: 5 },
  connection: { destination: 1, key: 2 },
  /** `match` and `target` of xtables, which iptables-nft writes. */
  xtables: { name: 1, revision: 2, info: 3 },
} as const

export const tableFlagOwner = 2
export const setFlagTimeout = 0x10
export const policyDrop = 0

/** How nft writes the type of a key (enum datatypes), which the kernel only keeps for programs that list the set. */
export const keyType = { 4: 7, 6: 8 } as const

export const payloadBase = { network: 1, transport: 2 } as const
export const compareOperator = { equal: 0, notEqual: 1, lessOrEqual: 3, greaterOrEqual: 5 } as const
export const metaKey = { networkProtocol: 15, transportProtocol: 16 } as const
export const connectionStatus = 2
/** IPS_DST_NAT: the connection's destination was translated. */
export const statusDestinationNat = 1 << 5
export const numgenRandom = 1
export const natDestination = 1

/** NF_DROP, NF_ACCEPT, NFT_JUMP, NFT_GOTO as signed numbers. */
export const verdictCode = { drop: 0, accept: 1, jump: -3, goto: -4 } as const

/** NFT_REG_VERDICT and NFT_REG_1; registers of 4 bytes begin at 8 (NFT_REG32_00) and lie over those of 16. */
export const verdictRegister = 0
export const firstRegister = 1
export const firstWordRegister = 8

export const protocolNumber = { tcp: 6, udp: 17 } as const

/** NFTNL_UDATA_RULE_COMMENT of libnftnl: nft's own format for comments. */
export const userDataComment = 0
