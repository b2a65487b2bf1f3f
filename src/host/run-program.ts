/** Runs the node's own tools (`ip`, `nft`, `iptables-*`) with argument arrays, never through a shell, each with a deadline. */
import { execFile } from 'node:child_process'

export interface Ran {
  readonly ok: boolean
  readonly stdout: string
  /** The program's message, or why it could not be started. */
  readonly stderr: string
  /** The program is not installed. */
  readonly isMissing: boolean
}

/** @param stdin text for the standard input; empty when undefined */
export type RunProgram = (program: string, args: readonly string[], stdin?: string) => Promise<Ran>

/** A hung program (a netlink lock, a lock of xtables) is killed after this long and counts as failed. */
const deadlineMs = 10_000
/** `iptables-save` of a node with thousands of Services prints megabytes. */
const outputBytesMax = 64 * 1024 * 1024

/** Superuser directories are searched too: a container's PATH may lack them. */
const environment = {
  ...process.env,
  PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`,
  LC_ALL: 'C',
}

export const runProgram: RunProgram = (program, args, stdin = '') =>
  new Promise((resolve) => {
    const options = { timeout: deadlineMs, maxBuffer: outputBytesMax, env: environment }
    const child = execFile(program, [...args], options, (error, stdout, stderr) => {
      const isMissing = error !== null && 'code' in error && error.code === 'ENOENT'
      const said = stderr.trim() || (error?.message ?? '')
      resolve({ ok: error === null, stdout, stderr: said, isMissing })
    })
    // The program may end without reading its standard input.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(stdin)
  })
