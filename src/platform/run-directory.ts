/** Where the private socket is when the configuration does not say it: the daemon and the commands look at the same places. */
import { accessSync, constants, existsSync } from 'node:fs'

/** Of the system: made by systemd (`RuntimeDirectory=neardns`), by the pod's volume, or by hand. */
const systemDirectory = '/run/neardns'
const fileName = 'admin.sock'

/**
 * @param environment of the process: `XDG_RUNTIME_DIR` is the directory of a user who is logged in
 * @returns paths of sockets in directories that this process may write to, the first choice first
 */
export function privateSocketPaths(environment: NodeJS.ProcessEnv): string[] {
  return candidates(environment)
    .filter(({ directory }) => isWritable(directory))
    .map(({ path }) => path)
}

/** @returns paths at which there is something now, the first choice first */
export function presentSocketPaths(environment: NodeJS.ProcessEnv): string[] {
  return candidates(environment)
    .map(({ path }) => path)
    .filter((path) => existsSync(path))
}

/** The path that a message names where there is none. */
export const usualSocketPath = `${systemDirectory}/${fileName}`

function candidates({ XDG_RUNTIME_DIR: own }: NodeJS.ProcessEnv) {
  const ofSystem = { directory: systemDirectory, path: usualSocketPath }
  if (own?.startsWith('/') !== true) return [ofSystem]
  return [ofSystem, { directory: own, path: `${own}/neardns-${fileName}` }]
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
