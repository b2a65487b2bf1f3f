/** How a name, as a text, becomes another one. The rules are those of CoreDNS's rewrite plugin, which compares texts and not labels. Pure. */
import { compilePattern } from '../pattern/engine.ts'
import type { matchKinds } from './settings.ts'

/** @param name lower case, with the trailing dot. @returns the new text, which may be no name; undefined: it is not for this name */
export type NameChange = (name: string) => string | undefined

export type MatchKind = (typeof matchKinds)[number]

/** Every name, left as it is. */
export const everyName: NameChange = (name) => name

/** @param to undefined: a name that matches stays */
export function nameChange(kind: MatchKind, from: string, to: string | undefined): NameChange {
  switch (kind) {
    case 'exact':
      return exact(dotted(from), to === undefined ? undefined : dotted(to))
    case 'suffix':
      return suffix(dotted(from), dotted(to ?? from))
    case 'prefix':
      return prefix(from.toLowerCase(), (to ?? from).toLowerCase())
    case 'substring':
      return substring(from.toLowerCase(), (to ?? from).toLowerCase())
    default:
      return to === undefined ? matching(from) : replacing(from, dotted(to))
  }
}

/** Lower case, with the trailing dot. */
export function dotted(text: string): string {
  const lower = text.toLowerCase()
  return lower.endsWith('.') ? lower : `${lower}.`
}

/** What an expression matches is replaced as a whole. @param to with the trailing dot */
export function replacing(from: string, to: string): NameChange {
  const pattern = compilePattern(from)
  return (name) => {
    const groups = pattern.match(name)
    return groups?.reduce((text, group, i) => text.replaceAll(`{${i}}`, () => group), to)
  }
}

/** The name that a rule has made becomes what it was, and so do names below it. */
export function restoring(made: string, was: string): NameChange {
  return (name) => {
    if (name === made) return was
    return name.endsWith(`.${made}`) ? name.slice(0, -made.length) + was : undefined
  }
}

export function suffix(from: string, to: string): NameChange {
  return (name) => (name.endsWith(from) ? name.slice(0, name.length - from.length) + to : undefined)
}

function exact(from: string, to: string | undefined): NameChange {
  return (name) => (name === from ? (to ?? name) : undefined)
}

function prefix(from: string, to: string): NameChange {
  return (name) => (name.startsWith(from) ? to + name.slice(from.length) : undefined)
}

function substring(from: string, to: string): NameChange {
  return (name) => (name.includes(from) ? name.replaceAll(from, () => to) : undefined)
}

function matching(from: string): NameChange {
  const pattern = compilePattern(from)
  return (name) => (pattern.test(name) ? name : undefined)
}
