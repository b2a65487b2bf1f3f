/** Questions by their key, for those that come and go with each query. */
import { type HashChained, HashChains } from '../sharing/hash-chains.ts'

export interface Keyed<T> extends HashChained<T> {
  /** One character a byte. */
  readonly key: string
}

export class KeyTable<T extends Keyed<T>> extends HashChains<T> {
  /** @param hash of the key */
  get(key: string, hash: number): T | undefined {
    let value = this.firstFor(hash)
    while (value !== undefined && (value.keyHash !== hash || value.key !== key))
      value = value.nextInBucket
    return value
  }
}
