/**
 * Who sends a request to the admin server, and whether names, clients and changes are for the sender: a pod must not learn here what others
 * ask. Over HTTP only a token proves that; the private side (daemon/operator/private-side.ts) knows the user at the other end.
 */
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

export type Admission =
  /** @param isRoot the other end is user 0 of this machine */
  | { readonly ok: true; readonly isRoot: boolean }
  /** @param why one line for the sender: what would be allowed */
  | { readonly ok: false; readonly why: string }

/** Judges the sender of a request. Must not throw. */
export type Access = (request: IncomingMessage) => Admission

const needsToken: Admission = {
  ok: false,
  why: 'This page tells names or changes something: use the socket of admin.socket on the node, or the token of admin.tokenFile.',
}

const wrongToken: Admission = {
  ok: false,
  why: 'This token opens nothing here: it is not that of admin.tokenFile, or there is none.',
}

/** @param token what `Authorization: Bearer` must carry; undefined refuses everybody */
export function tokenAccess(token: () => string | undefined): Access {
  return ({ headers }) => {
    const wanted = token()
    const isRight = wanted !== undefined && isSame(headers.authorization ?? '', `Bearer ${wanted}`)
    if (isRight) return { ok: true, isRoot: false }
    return headers.authorization === undefined ? needsToken : wrongToken
  }
}

/** Takes the same time wherever two texts of equal length differ. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  let difference = a.length ^ b.length
  for (let at = 0; at < b.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0)
  return difference === 0
}

/**
 * Refuses every name but `localhost` and those that the operator allows: a web page in a browser that asks this DNS could have its own name point to this address (DNS
 * rebinding), and read the admin pages as its own.
 */
export function isAllowedHost(
  hosts: readonly string[] | undefined,
  allowed: readonly string[] = [],
): boolean {
  const [host, ...more] = hosts ?? []
  if (host === undefined || more.length > 0) return false
  const name = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/.exec(host)
  if (!name) return false
  const text = (name[1] ?? name[2] ?? '').toLowerCase()
  if (isIP(text) === (name[1] === undefined ? 4 : 6)) return true
  // With or without the dot at the end.
  return ['localhost', ...allowed].includes(text.replace(/\.$/, ''))
}
