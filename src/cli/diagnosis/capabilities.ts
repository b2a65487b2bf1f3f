/** What the kernel lets this process do. Pure. */

/** Numbers of linux/capability.h. */
const bits = { NET_BIND_SERVICE: 10, NET_ADMIN: 12, NET_RAW: 13, BPF: 39 } as const
export type Capability = keyof typeof bits

/** @param status text of /proc/self/status @returns undefined when the text does not say it */
export function capabilitiesIn(status: string): ReadonlySet<Capability> | undefined {
  const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1]
  if (hex === undefined) return undefined
  const effective = BigInt(`0x${hex}`)
  const all = Object.entries(bits) as [Capability, number][]
  return new Set(
    all.flatMap(([name, bit]) => (((effective >> BigInt(bit)) & 1n) === 1n ? [name] : [])),
  )
}
