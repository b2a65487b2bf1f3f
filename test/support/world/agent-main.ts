/** The child process behind agent.ts. Ends when its parent does. */

import { askTcp, askUdp } from '../client/dns-client.ts'
import { readMessage, writeQuery } from '../client/dns-message.ts'
import { runLoad } from '../client/load.ts'
import { runTcpLoad } from '../client/tcp-load.ts'
import type { AgentCommands, AgentReply, AgentRequest } from './agent.ts'
import { KubeApi } from './kube-api.ts'
import { makeKubeWorld } from './kube-world.ts'

type Commands = {
  [C in keyof AgentCommands]: (
    argument: AgentCommands[C]['argument'],
  ) => Promise<AgentCommands[C]['result']>
}

let kubeApi: KubeApi | undefined

const commands: Commands = {
  async ask({ server, name, type, options = {} }) {
    const startMs = performance.now()
    const query = writeQuery(name, type, options)
    // A connection that cannot be made is no answer, like any other silence.
    const reply = await (options.tcp ? askTcp : askUdp)(server, query, options.timeoutMs).catch(
      () => undefined,
    )
    const tookMs = performance.now() - startMs
    return reply === undefined ? { tookMs } : { reply: readMessage(reply), tookMs }
  },
  load: runLoad,
  tcpLoad: runTcpLoad,
  async kubeApi({ namespaces, port }) {
    kubeApi = await KubeApi.start(makeKubeWorld(namespaces), { port })
    return { url: kubeApi.url }
  },
  async kubeChange({ changes }) {
    if (kubeApi === undefined) throw new Error('there is no Kubernetes API here')
    for (const { resource, object, isDeleted } of changes) {
      const { name, namespace } = object.metadata
      if (isDeleted === true) kubeApi.delete(resource, name, namespace)
      else kubeApi.put(resource, object)
    }
    return null
  },
  async fetch({ url }) {
    const response = await fetch(url, { signal: AbortSignal.timeout(3000) })
    return { status: response.status, body: await response.text() }
  },
}

process.on('message', (request: AgentRequest) => {
  void serve(request)
})
process.on('disconnect', () => process.exit(0))

async function serve(request: AgentRequest): Promise<void> {
  const { number, command, argument } = request
  // The table pairs each command with its argument; the union that comes off the wire has lost that.
  const run = commands[command] as (argument: unknown) => Promise<unknown>
  const reply: AgentReply = await run(argument).then(
    (result) => ({ number, result }),
    (error: unknown) => ({ number, error: String(error) }),
  )
  process.send?.(reply)
}
