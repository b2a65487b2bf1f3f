/** Memory of this process. Node reads the resident memory from /proc, and throws where there is none. */
import { getHeapStatistics } from 'node:v8'

/** `rss` is undefined where the system does not tell. */
export interface ProcessMemory extends Omit<NodeJS.MemoryUsage, 'rss'> {
  readonly rss: number | undefined
}

/** @param read throws where there is no /proc */
export function readMemory(read: () => NodeJS.MemoryUsage = process.memoryUsage): ProcessMemory {
  try {
    return read()
  } catch {
    const { total_heap_size, used_heap_size, external_memory } = getHeapStatistics()
    return {
      rss: undefined,
      heapTotal: total_heap_size,
      heapUsed: used_heap_size,
      external: external_memory,
      arrayBuffers: 0,
    }
  }
}

/** The same for the resident memory alone, which is cheaper. */
export function readResidentBytes(
  read: () => number = process.memoryUsage.rss,
): number | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
