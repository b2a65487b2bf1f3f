/** Where `doctor` asks the daemon: at its socket, else at its first admin address. That the socket should be there and is not, is a fault. */
import { existsSync } from 'node:fs'
import type { Config } from '../../config/schema.ts'
import { privateSocketPaths } from '../../platform/run-directory.ts'
import type { Arguments } from '../command-line/arguments.ts'
import { type Finding, fault } from '../diagnosis/finding.ts'
import { type AdminPlace, askAdmin, readPlace } from '../operator/admin-client.ts'

export interface Reached {
  /** A text says why there is none. */
  readonly place: AdminPlace | string
  readonly findings: readonly Finding[]
}

export async function reach(
  { admin }: Pick<Config, 'admin'>,
  { flag }: Pick<Arguments, 'flag'>,
): Promise<Reached> {
  const [named, tokenFile] = [flag('--admin'), flag('--token-file')]
  const [at] = admin.listen
  const http: AdminPlace | undefined = at && { kind: 'http', at, token: undefined }
  if (named !== undefined || tokenFile !== undefined || admin.socket === 'none') {
    const read = readPlace(named, tokenFile)
    return { place: read.ok ? read.place : (http ?? read.why), findings: [] }
  }
  const path = admin.socket === 'auto' ? privateSocketPaths(process.env)[0] : admin.socket
  if (path !== undefined && http !== undefined) return await eitherOf(path, http)
  const read = readPlace(path, undefined)
  return { place: read.ok ? read.place : (http ?? read.why), findings: [] }
}

async function eitherOf(path: string, http: AdminPlace): Promise<Reached> {
  const socket: AdminPlace = { kind: 'socket', path }
  const reply = await askAdmin(socket, { path: '/health' })
  if (reply.ok || reply.why.includes('does not answer within'))
    return { place: socket, findings: [] }
  const overHttp = await askAdmin(http, { path: '/health' })
  // Where nobody runs, that is said by who asks for the metrics.
  const isAway = overHttp.ok && reply.why.startsWith('no neardns answers')
  return { place: http, findings: isAway ? [away(path)] : [] }
}

function away(path: string): Finding {
  return fault(
    'admin',
    `nobody answers at ${path}: explain, cache, tail and slow cannot be asked`,
    {
      cause: existsSync(path)
        ? 'another process has left its socket there'
        : 'the socket was removed, or its directory emptied; or the daemon could not make it',
      next: 'restart the daemon; its log line `admin: the private socket cannot be had` says why',
    },
  )
}
