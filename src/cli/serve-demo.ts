/** `neardns demo` with the real daemon in it: the demo itself does not know how one is built. */
import { Daemon } from '../daemon/daemon.ts'
import { createLog } from '../observe/log.ts'
import { demo } from './demo.ts'
import type { CliIo } from './io.ts'
import { outputTerminal } from './process/terminal.ts'
import { version } from './version.ts'

export function serveDemo(argv: readonly string[], io: CliIo): Promise<number> {
  return demo(argv, io, {
    isColoured: outputTerminal()?.isColoured === true,
    startDaemon: async (config) => {
      const daemon = new Daemon(config, {
        log: createLog({ level: 'silent' }),
        facts: { version: version(), revision: '', memoryLimitBytes: 0 },
        resolvers: [],
        localAddresses: () => [],
      })
      await daemon.start()
      return daemon
    },
  })
}
