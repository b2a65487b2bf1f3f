/** The names that an item of a local stage is for: at or below one of its zones, and not at or below one that is left out. */
import { isAtOrBelow, wireName } from '../wire/name.ts'

export interface ScopeSettings {
  /** Names without the trailing dot, `.` for the root. */
  readonly zones: readonly string[]
  readonly except: readonly string[]
}

export class Scope {
  private readonly zones: readonly Zone[]
  private readonly except: readonly Zone[]

  constructor({ zones, except }: ScopeSettings) {
    this.zones = zonesOf(zones)
    this.except = zonesOf(except)
  }

  /** Whether the name is at or below one of `except`. */
  leavesOut(name: Uint8Array, nameBytes: number): boolean {
    return holder(this.except, name, nameBytes) !== undefined
  }

  /** @param name folded wire form. @returns the longest zone that holds the name, with its trailing dot; undefined for none */
  zoneOf(name: Uint8Array, nameBytes: number): string | undefined {
    const zone = holder(this.zones, name, nameBytes)
    return zone === undefined || this.leavesOut(name, nameBytes) ? undefined : zone.text
  }
}

/** A list of zones, as `fallthrough` has one. */
export class ZoneSet {
  private readonly zones: readonly Zone[]

  constructor(zones: readonly string[]) {
    this.zones = zonesOf(zones)
  }

  holds(name: Uint8Array, nameBytes: number): boolean {
    return holder(this.zones, name, nameBytes) !== undefined
  }
}

interface Zone {
  readonly wire: Uint8Array
  /** With the trailing dot. */
  readonly text: string
}

/** Longer names first. */
function zonesOf(names: readonly string[]): readonly Zone[] {
  return names
    .map((name) => ({ wire: wireName(name), text: name === '.' ? name : `${name}.` }))
    .toSorted((a, b) => b.wire.length - a.wire.length)
}

function holder(zones: readonly Zone[], name: Uint8Array, nameBytes: number): Zone | undefined {
  return zones.find(({ wire }) => isAtOrBelow(name, nameBytes, wire, wire.length))
}
