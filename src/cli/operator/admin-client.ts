/**
 * Asks a running daemon over its private socket, or over HTTP with a token. Every way in which that can fail is one line for the person at
 * the terminal.
 */
import type { IncomingMessage } from 'node:http'
import { type Endpoint, formatEndpoint } from '../../address/endpoint.ts'
import { parseListen } from '../../config/address.ts'
import { readTokenFile } from '../../daemon/token-file.ts'
import { presentSocketPaths, usualSocketPath } from '../../platform/run-directory.ts'
import { errorCode } from '../../system/bind.ts'
import { type CliIo, ExitCode } from '../io.ts'

/** Where the admin pages are when only a token is given. */
const usualPort = 9253
const usualAddress = `127.0.0.1:${usualPort}`
const timeoutMs = 5000

export type AdminPlace =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'http'; readonly at: Endpoint; readonly token: string | undefined }

export type ReadPlace =
  | { readonly ok: true; readonly place: AdminPlace }
  | { readonly ok: false; readonly why: string; readonly isMisuse: boolean }

/**
 * @param admin value of `--admin`: IP[:PORT], or the path of a socket, which has a slash; undefined looks where the daemon has its socket by itself
 * @param tokenFile value of `--token-file`
 */
export function readPlace(
  admin: string | undefined,
  tokenFile: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): ReadPlace {
  const read = tokenFile === undefined ? undefined : readTokenFile(tokenFile)
  if (read?.ok === false) return misuse(`--token-file ${tokenFile}: ${read.why}`)
  const token = read?.token
  const isByDefault = admin === undefined && tokenFile === undefined
  const path = isByDefault ? presentSocketPaths(environment)[0] : admin
  if (path?.includes('/') === true) return { ok: true, place: { kind: 'socket', path } }
  if (isByDefault) {
    const why = `no neardns answers here: there is no ${usualSocketPath}; start it with admin.socket, or name its socket or address with --admin`
    return { ok: false, why, isMisuse: false }
  }
  const at = parseListen(path ?? usualAddress, usualPort)
  if (!at.ok) return misuse(`--admin ${path}: ${at.why}; the path of a socket has a /`)
  return { ok: true, place: { kind: 'http', at: at.value, token } }
}

function misuse(why: string): ReadPlace {
  return { ok: false, why, isMisuse: true }
}

export interface AdminRequest {
  /** With its query string. */
  readonly path: string
  /** Default: GET. */
  readonly method?: 'GET' | 'POST'
  readonly body?: Buffer
  /** Ends the waiting. */
  readonly signal?: AbortSignal
}

export type AdminReply =
  | { readonly ok: true; readonly body: Buffer }
  | {
      readonly ok: false
      readonly why: string
      readonly isMisuse: boolean
      /** The page, when one came. */
      readonly text?: string
    }

/** Never rejects. */
export async function askAdmin(place: AdminPlace, request: AdminRequest): Promise<AdminReply> {
  try {
    const response = await send(place, request)
    const body = await bodyOf(response)
    if (response.statusCode === 200) return { ok: true, body }
    return refusal(place, response.statusCode ?? 0, body.toString())
  } catch (error) {
    return { ok: false, why: unreachable(place, error), isMisuse: false }
  }
}

/** Reports what went wrong. @returns the exit code */
export function reportRefusal(
  io: CliIo,
  { why, isMisuse }: { readonly why: string; readonly isMisuse: boolean },
): number {
  io.stderr(`neardns: ${why}\n`)
  return isMisuse ? ExitCode.usage : ExitCode.failed
}

function send(place: AdminPlace, { path, method = 'GET', body, signal }: AdminRequest) {
  const token = place.kind === 'http' ? place.token : undefined
  // `import` would evaluate all lazy exports of the module: 15 MB and 20 ms.
  const { request } = process.getBuiltinModule('node:http')
  return new Promise<IncomingMessage>((resolve, reject) => {
    const where =
      place.kind === 'socket'
        ? { socketPath: place.path }
        : { host: place.at.address, port: place.at.port }
    const sent = request({
      ...where,
      path,
      method,
      agent: false,
      ...(signal !== undefined && { signal }),
      headers: {
        ...(place.kind === 'socket' && { host: 'localhost' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-length': body.length }),
      },
    })
    sent.setTimeout(timeoutMs, () => sent.destroy(Object.assign(new Error(), { code: 'TIMEOUT' })))
    sent.once('error', reject)
    sent.once('response', resolve)
    sent.end(body)
  })
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of response) pieces.push(piece as Buffer)
  // A reply that is cut off ends like one that is whole.
  if (!response.complete) throw new Error('the reply was cut off')
  return Buffer.concat(pieces)
}

function refusal(place: AdminPlace, status: number, body: string): AdminReply {
  const where = placeText(place)
  if (status === 404) {
    const why = `the neardns at ${where} does not know this command: it is older than this one`
    return { ok: false, why, isMisuse: false }
  }
  return { ok: false, why: `${where}: ${errorIn(body)}`, isMisuse: status === 400, text: body }
}

/** One line: of a call `{"error": ...}`, of a page its text. */
function errorIn(body: string): string {
  try {
    const { error } = JSON.parse(body) as { readonly error?: unknown }
    if (typeof error === 'string') return error
  } catch {
    // A text.
  }
  return body.trim().split('\n', 1)[0] ?? ''
}

function unreachable(place: AdminPlace, error: unknown): string {
  const where = placeText(place)
  const code = errorCode(error)
  if (code === 'TIMEOUT') return `the neardns at ${where} does not answer within ${timeoutMs} ms`
  if (place.kind === 'socket') {
    if (code === 'EACCES' || code === 'EPERM')
      return `${where} is not for this user: ask as root, or as the user of the daemon`
    if (code === 'ENOENT' || code === 'ECONNREFUSED')
      return `no neardns answers at ${where}; is it running, with this admin.socket?`
  } else if (code === 'ECONNREFUSED') {
    return `no admin server at ${where}; start the daemon with --admin, and name it here`
  }
  const why = reasonOf(error)
  return `cannot ask ${where}: ${why}`
}

/** DNS over TCP hangs up on HTTP, a server of TLS or SSH answers in its own words. */
function reasonOf(error: unknown): string {
  const code = errorCode(error)
  if (code === 'ECONNRESET') return 'it closed the connection; is that the admin server?'
  if (code.startsWith('HPE_')) return 'what answers there is no HTTP; is that the admin server?'
  return error instanceof Error ? error.message : String(error)
}

function placeText(place: AdminPlace): string {
  return place.kind === 'socket' ? place.path : formatEndpoint(place.at)
}
