/** Finds values by the bytes of their key, or by its string. Bounds and evicts nothing. */

import { HashChains } from '../sharing/hash-chains.ts'
import { hashOfKey, type KeyBytes, wordsFor, wordsOf } from './key-bytes.ts'
import type { Storable } from './queue.ts'

export class KeyIndex<V extends Storable> extends HashChains<V> {
  find(keys: KeyBytes): V | undefined {
    const { hash } = keys
    let value = this.firstFor(hash)
    while (value !== undefined && (value.keyHash !== hash || !value.hasKey(keys))) {
      value = value.nextInBucket
    }
    return value
  }

  /** @param nameHash of the key's name */
  findText(key: string, nameHash: number): V | undefined {
    const hash = hashOfKey(key, nameHash)
    let value = this.firstFor(hash)
    while (value !== undefined && value.keyHash !== hash) value = value.nextInBucket
    // Most look-ups by text are for what is not there: then the key's words are not needed.
    if (value === undefined) return undefined
    const words = wordsOf(key)
    const count = wordsFor(key.length)
    while (value !== undefined && (value.keyHash !== hash || !value.hasWords(words, count))) {
      value = value.nextInBucket
    }
    return value
  }

  /** No value may be stored under its key. */
  override add(value: V): void {
    value.keyHash = hashOfKey(value.key, value.hash)
    super.add(value)
  }
}
