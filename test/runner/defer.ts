/**
 * Tells uvu that somebody else runs the suites. Imported before uvu, which reads the flag once, when it is
 * loaded, and otherwise starts every suite by itself.
 */
declare global {
  var UVU_DEFER: number | undefined
  var UVU_INDEX: number | undefined
  var UVU_QUEUE: unknown[][] | undefined
}

globalThis.UVU_DEFER = 1
globalThis.UVU_QUEUE ??= []
/** One group of the queue serves all files: tracked-uvu takes each suite out as soon as it is queued. */
globalThis.UVU_INDEX = globalThis.UVU_QUEUE.push([]) - 1
