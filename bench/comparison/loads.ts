/** How fast a server is asked. Pure: pages are made with it as well. */

/** Queries per second, or as fast as replies come with so many queries out: `most` is the widest window. */
export type Load = number | SaturatingLoad
export type SaturatingLoad = keyof typeof windows

/**
 * Where many queries are out, a server that reads and writes in batches is at its best. A node's pods have fewer out at a time, a single
 * client one. 96 and not more: Knot Resolver fails what exceeds a hundred on one TCP connection.
 */
export const windows = { most: 96, 'most-16': 16, 'most-1': 1 } as const

export function isSaturating(load: Load): load is SaturatingLoad {
  return typeof load !== 'number'
}
