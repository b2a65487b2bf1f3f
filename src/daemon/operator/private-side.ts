/**
 * The admin pages and the operator's API on a Unix socket, for root and the daemon's own user: the file has mode 0600, and the user at the
 * other end is asked of the kernel (SO_PEERCRED, unix(7)). The file of a killed process is replaced, that of a
 * predecessor as well, and no other. Knows no page.
 */
import { chmodSync, existsSync, lstatSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { connectTo, descriptorOf } from '../../handover/meeting-point.ts'
import type { Access } from '../../observe/admin-access.ts'
import { type AdminOptions, AdminServer } from '../../observe/admin-server.ts'
import type { Log } from '../../observe/log.ts'
import { privateSocketPaths } from '../../platform/run-directory.ts'
import { peerUser } from '../../system/descriptor-mail.ts'
import { loadSystemCalls } from '../../system/system-calls.ts'

export interface PrivateSideParts {
  readonly log: Log
  /** Anew for each server. */
  readonly pages: () => Omit<AdminOptions, 'listen' | 'fd' | 'access'>
}

/** `auto`: where there is a place for it; `none`: nowhere. */
export type PrivateSocketSetting = 'auto' | 'none' | `/${string}`

export class PrivateSide {
  private readonly parts: PrivateSideParts
  private server: AdminServer | undefined
  /** Where it listens, and the file's inode there: another process may have put its own in place of it. */
  private at: { readonly path: string; readonly inode: number } | undefined

  constructor(parts: PrivateSideParts) {
    this.parts = parts
  }

  /**
   * @param isFollower a process that serves at the path has handed over to this one
   * @returns the path; undefined without one. A path that cannot be had is logged: nothing of the data path depends on it
   */
  async listen(setting: PrivateSocketSetting, isFollower: boolean): Promise<string | undefined> {
    await this.stop()
    if (setting === 'none') return undefined
    const [path] = setting === 'auto' ? privateSocketPaths(process.env) : [setting]
    if (path === undefined) return undefined
    try {
      return await this.open(path, isFollower)
    } catch (error) {
      const { log } = this.parts
      const fields = { path, why: error instanceof Error ? error.message : String(error) }
      if (setting === 'auto') log.info(fields, 'admin: no private socket')
      else log.warn(fields, 'admin: the private socket cannot be had')
      return undefined
    }
  }

  async stop(): Promise<void> {
    const { server } = this
    this.server = undefined
    this.leave()
    await server?.stop()
  }

  /** Another process answers from now on. */
  async retire(): Promise<void> {
    const { server } = this
    this.server = undefined
    this.leave()
    await server?.retire()
  }

  private async open(path: string, isFollower: boolean): Promise<string> {
    const { pages } = this.parts
    const calls = loadSystemCalls()
    // The system's error for that is EACCES.
    if (!existsSync(dirname(path))) throw new Error('its directory does not exist')
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found?.isSocket() === false) throw new Error('there is a file that is no socket')
    if (found !== undefined && !isFollower) await refuseIfServed(path)
    // Bound beside the path and moved there, so that there is a socket at the path at all times.
    const beside = `${path}.${process.pid}`
    rmSync(beside, { force: true })
    const access: Access = ({ socket }) => judge(peerUser(calls, descriptorOf(socket)))
    const server = new AdminServer({ ...pages(), access, listen: { address: beside, port: 0 } })
    this.server = server
    await server.start()
    chmodSync(beside, 0o600)
    renameSync(beside, path)
    this.at = { path, inode: lstatSync(path).ino }
    return path
  }

  private leave(): void {
    const { at } = this
    this.at = undefined
    if (at === undefined) return
    const found = lstatSync(at.path, { throwIfNoEntry: false })
    if (found?.ino === at.inode) rmSync(at.path, { force: true })
  }
}

async function refuseIfServed(path: string): Promise<void> {
  const other = await connectTo(path)
  other?.destroy()
  if (other !== undefined) throw new Error('another process answers there')
}

function judge(user: number | undefined): ReturnType<Access> {
  const own = process.geteuid?.()
  if (user === 0 || (user !== undefined && user === own)) return { ok: true, isRoot: user === 0 }
  return { ok: false, why: `This socket is for root and user ${own}; you are user ${user}.` }
}
