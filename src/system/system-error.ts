/** Errors for failed system calls, and for machines that cannot make them. */
import { getSystemErrorName } from 'node:util'

/** A machine that these calls were not written for, or whose koffi does not load. The message says which. */
export class UnsupportedPlatform extends Error {
  override readonly name = 'UnsupportedPlatform'
  readonly missing: 'platform' | 'library' | 'kernel'

  constructor(missing: UnsupportedPlatform['missing'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.missing = missing
  }
}

/** An Error as Node makes them: `code` is errno's name. @param errno positive */
export function systemError(call: string, errno: number): Error {
  const code = getSystemErrorName(-errno)
  return Object.assign(new Error(`${call} ${code}`), { code })
}
