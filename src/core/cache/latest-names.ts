/**
 * As `LatestMap`, for numbers under folded names in wire form: holds at most `namesMax` names, and always the latest half of them.
 * In typed arrays, because a Map makes two strings and an object outlive each miss that brings a new name. Reads no clock.
 */
import { NameKey, NameTable } from './name-table.ts'

/** One key at a time: no method of a table calls another table. */
const key = new NameKey()

export class LatestNames {
  private young: NameTable
  private old: NameTable
  private readonly namesMax: number
  private readonly fields: number

  /** @param fields numbers of each name */
  constructor(namesMax: number, fields: number) {
    this.namesMax = namesMax
    this.fields = fields
    this.young = new NameTable(fields)
    this.old = new NameTable(fields)
  }

  get size(): number {
    return this.young.size + this.old.size
  }

  /** @param into gets the name's numbers. @returns false when the name is not there */
  read(name: string, into: Float64Array): boolean {
    key.read(name)
    return readFrom(this.young, into) || readFrom(this.old, into)
  }

  /** The name is the latest from now on. */
  write(name: string, numbers: Float64Array): void {
    const { old } = this
    key.read(name)
    let place = this.young.find(key)
    if (place < 0) {
      if (old.size > 0) old.remove(key)
      if (this.young.used >= this.namesMax / 2) this.turnOver()
      place = this.young.add(key)
    }
    for (let i = 0; i < this.fields; i++) this.young.set(place, i, numbers[i] as number)
  }

  /** @returns whether it was there */
  delete(name: string): boolean {
    key.read(name)
    return this.young.remove(key) || this.old.remove(key)
  }

  /** Gives the memory back. */
  clear(): void {
    this.young = new NameTable(this.fields)
    this.old = new NameTable(this.fields)
  }

  private turnOver(): void {
    const { young, old } = this
    old.clear()
    this.young = old
    this.old = young
  }
}

function readFrom(table: NameTable, into: Float64Array): boolean {
  const place = table.find(key)
  if (place < 0) return false
  for (let i = 0; i < into.length; i++) into[i] = table.get(place, i)
  return true
}
