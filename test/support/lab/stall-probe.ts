/** How long the machine lets a process wait: what a bound of time must allow for where several processes share two processors. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** @returns the longest delay of this process's event loop since the call, in milliseconds; ends the measurement */
export function watchStalls(): () => number {
  const delays = monitorEventLoopDelay({ resolution: 10 })
  delays.enable()
  return () => {
    delays.disable()
    return delays.max / 1e6
  }
}
