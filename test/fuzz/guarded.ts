/** An array of octets that throws as soon as somebody looks behind its end: what `undefined` arithmetic would hide. */

/** @returns a view of `packet` in which every index that is not inside throws a RangeError */
export function guarded(packet: Uint8Array): Uint8Array {
  return new Proxy(packet, {
    get(target, key) {
      if (typeof key === 'string' && /^-?\d/.test(key)) {
        const at = Number(key)
        if (!Number.isInteger(at) || at < 0 || at >= target.length) {
          throw new RangeError(`read at ${key} of ${target.length} octets`)
        }
        return target[at]
      }
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
