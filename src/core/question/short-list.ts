/**
 * For lists that nearly always stay of one: the first `push` onto an empty array makes room for seventeen.
 * @param list never written to while it is empty, so that an empty one may be shared
 * @returns the list to go on with
 */
export function append<T>(list: T[], item: T): T[] {
  if (list.length === 0) return [item]
  list.push(item)
  return list
}
