/** The configuration that `doctor` looks at: of the flags, else of the daemon that runs here, however it was started. */
import type { ConfigResult } from '../../config/load.ts'
import { readProc } from '../../host/node-tools.ts'
import { readNodeCacheFlags } from '../../nodelocal/flags.ts'
import type { Arguments } from '../command-line/arguments.ts'
import { parseRunArgs, type RunArgs, runArgsFrom } from '../command-line/run-arguments.ts'
import { readConfig } from '../read-config.ts'
import { type StartedDaemon, startedDaemons } from './started-daemon.ts'

interface Configured {
  readonly result: ConfigResult
  /** The file that a person looks into when it is wrong. */
  readonly file: string
}

export async function configuredBy({ flags }: Arguments): Promise<Configured> {
  // Here it says where the daemon is asked.
  const given = runArgsFrom(flags.filter(({ name }) => name !== '--admin'))
  if (given.configFile !== undefined || given.overrides.length > 0) return await ofRun(given)
  const daemons = await startedDaemons()
  const daemon = daemons.find(({ argv }) => argv.length > 0) ?? daemons[0]
  if (daemon?.isNodeCache === true) return await ofNodeCache(daemon)
  const parsed = parseRunArgs(daemon?.argv ?? [])
  return await ofRun(parsed.ok ? parsed.args : given)
}

async function ofRun(args: RunArgs): Promise<Configured> {
  return { result: await readConfig(args), file: args.configFile ?? 'FILE' }
}

/** What a daemon in the place of node-cache makes of its flags, files and environment. Writes no file. */
export async function ofNodeCache({
  pid,
  argv,
}: Pick<StartedDaemon, 'pid' | 'argv'>): Promise<Configured> {
  const read = readNodeCacheFlags(argv)
  if (read.kind !== 'serve') {
    const message = 'its arguments are none that node-cache serves with; name a file with --config'
    return {
      result: { ok: false, problems: [{ where: `process ${pid}`, path: '', message }] },
      file: 'FILE',
    }
  }
  const { flags } = read
  const { readNodeCacheConfig } = await import('../node-cache/node-config.ts')
  const { result } = await readNodeCacheConfig({
    flags,
    environment: environmentIn(await readProc(`/proc/${pid}/environ`)) ?? process.env,
    isStart: false,
    isReadOnly: true,
    remark: () => undefined,
  })
  return { result, file: flags.corefile }
}

/** @param text as in /proc. @returns undefined when it could not be read */
function environmentIn(text: string): Record<string, string> | undefined {
  if (text === '') return undefined
  return Object.fromEntries(
    text.split('\0').flatMap((one) => {
      const at = one.indexOf('=')
      return at < 0 ? [] : [[one.slice(0, at), one.slice(at + 1)] as const]
    }),
  )
}
