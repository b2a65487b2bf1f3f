/**
 * For lists that nearly always have one item: the first `push` onto an empty array allocates room for seventeen.
 * @param list never written to while it is empty, so that an empty one may be shared
 * @returns the list to use from now on
 */
export function append<T>(list: T[], item: T): T[] {
  if (list.length === 0) return [item]
  list.push(item)
  return list
}
