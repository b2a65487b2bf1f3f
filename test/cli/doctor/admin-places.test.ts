// Goal: the daemon is asked at its socket, else over HTTP, and a socket that should be there and is not is a fault. Method: admin servers in this process.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { reach } from '../../../src/cli/doctor/admin-places.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { AdminServer } from '../../../src/observe/admin-server.ts'

const test = suite('cli/doctor/admin-places')
const noFlags = { flag: () => undefined }

async function served(address: string): Promise<AdminServer & { port: number }> {
  const server = new AdminServer({
    listen: { address, port: 0 },
    pages: new Map([['/health', () => ({ status: 200, body: 'OK\n' })]]),
    onDefect: () => undefined,
  })
  const { port } = await server.start()
  return Object.assign(server, { port })
}

function configOf(port: number, socket: string) {
  const text = JSON.stringify({ admin: { listen: `127.0.0.1:${port}`, socket } })
  const loaded = loadConfig({ file: { name: 'a.yaml', text } })
  if (!loaded.ok) throw new Error('a mistake in the test')
  return loaded.config
}

test('at the socket; over HTTP where it is away, which is a fault; and where it is told', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'neardns-places-'))
  const path = join(folder, 'admin.sock')
  const [http, socket] = [await served('127.0.0.1'), await served(path)]
  const config = configOf(http.port, path)
  const overHttp = { address: '127.0.0.1', port: http.port, family: 4 } as const
  try {
    assert.equal(await reach(config, noFlags), { place: { kind: 'socket', path }, findings: [] })
    const told = { flag: (name: string) => (name === '--admin' ? '127.0.0.1:1' : undefined) }
    const { place } = await reach(config, told)
    assert.is(typeof place === 'object' && place.kind === 'http' && place.at.port, 1)
    await socket.stop()
    const away = await reach(config, noFlags)
    assert.equal(away.place, { kind: 'http', at: overHttp, token: undefined })
    assert.match(away.findings[0]?.what ?? '', /^nobody answers at .*admin\.sock/)
    assert.equal((await reach(configOf(http.port, 'none'), noFlags)).findings, [])
    await http.stop()
    assert.equal((await reach(config, noFlags)).findings, [], 'nobody runs: somebody else says so')
  } finally {
    await socket.stop()
    await http.stop()
    rmSync(folder, { recursive: true })
  }
})

test.run()
