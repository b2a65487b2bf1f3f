/**
 * The command line of the test cluster. Everything but `down` first makes what is missing: programs, images.
 *
 *   node test/cluster/main.ts prepare
 *   node test/cluster/main.ts up [--mode MODE] [--node-nft machine|image] [--kube-proxy VERSION]
 *   node test/cluster/main.ts down [NAME]
 *   node test/cluster/main.ts try [--mode MODE] [--chart]
 *   node test/cluster/main.ts drop-in [--mode MODE]
 *   node test/cluster/main.ts scenarios [--mode MODE,...] [--rate N,...] [--only NAME,...] [--long] [--no-record]
 *   node test/cluster/main.ts kubectl ARGS...
 *   node test/cluster/main.ts node COMMAND...
 */
import { parseArgs } from 'node:util'
import { kubernetesVersion } from './build/versions.ts'
import { Cluster } from './cluster.ts'
import { type ClusterOptions, defaultOptions, proxyModes, readNodeNft } from './layout.ts'
import { tryDropIns } from './operator/drop-in.ts'
import { tryOut } from './operator/try-out.ts'
import { prepareMachine } from './prepare.ts'
import { runScenarios } from './scenarios.ts'

const say = (text: string) => console.log(text)

const [verb = '', ...rest] = process.argv.slice(2)
// Only here does the process end: a component's log must not keep it.
process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  return 1
})

async function main(): Promise<number> {
  switch (verb) {
    case 'up': {
      const options = readOptions()
      await prepareMachine(say)
      await Cluster.up(options, say)
      say('kubectl: npm run cluster -- kubectl get pods -A')
      return 0
    }
    case 'prepare':
      await prepareMachine(say)
      return 0
    case 'down':
      await Cluster.remove(rest[0] ?? defaultOptions.name)
      return 0
    case 'try': {
      const options = readOptions()
      await prepareMachine(say)
      return (await tryOut(options, rest.includes('--chart'), say)) ? 0 : 1
    }
    case 'drop-in': {
      const options = readOptions()
      await prepareMachine(say)
      return (await tryDropIns(options, say)) ? 0 : 1
    }
    case 'scenarios':
      await prepareMachine(say)
      return (await runScenarios(rest, say)) ? 0 : 1
    case 'kubectl':
      return await through((cluster) => cluster.kubectl.try(rest))
    case 'node':
      return await through((cluster) => cluster.node.run(rest))
    default:
      console.error(
        'prepare, up, down, try, drop-in, scenarios, kubectl or node? See the head of test/cluster/main.ts',
      )
      return 2
  }
}

function readOptions(): Partial<ClusterOptions> {
  const { values } = parseArgs({
    args: rest,
    options: {
      mode: { type: 'string', default: 'nftables' },
      'node-nft': { type: 'string', default: 'machine' },
      'kube-proxy': { type: 'string', default: kubernetesVersion },
      chart: { type: 'boolean' },
    },
  })
  const proxyMode = proxyModes.find((mode) => mode === values.mode)
  if (proxyMode === undefined) throw new Error(`--mode is one of ${proxyModes.join(', ')}`)
  const nodeNft = readNodeNft(values['node-nft'])
  return { proxyMode, nodeNft, kubeProxyVersion: values['kube-proxy'] }
}

async function through(
  action: (cluster: Cluster) => Promise<{ code: number | null; stdout: string; stderr: string }>,
): Promise<number> {
  const cluster = Cluster.attach()
  if (cluster === undefined) throw new Error('no cluster is up: npm run cluster:up')
  const { code, stdout, stderr } = await action(cluster)
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  return code ?? 1
}
