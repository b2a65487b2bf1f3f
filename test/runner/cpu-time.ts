/** Processor time of this process and of the children that it has waited for, from Linux's /proc. */
import { readFileSync } from 'node:fs'

/** USER_HZ, the unit of /proc/PID/stat: 100 on every architecture that Node runs on. */
const msPerTick = 10

/** 0 where there is no /proc. */
export function cpuMs(): number {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1')
    // The command name, field 2, is in parentheses and may hold blanks; utime is field 14.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) * msPerTick
  } catch {
    return 0
  }
}
