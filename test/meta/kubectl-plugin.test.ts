/*
 * Goal: `kubectl neardns` runs a verb in the pod of the node that is meant, or of each, and says what is wrong with a call. Method: the real
 * script with a kubectl that the test plays: it writes down its arguments, knows two pods, and does as it is told.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needs } from '../support/needs.ts'

interface Context {
  folder: string
}

const test = suite<Context>('meta/kubectl-plugin')
const script = join(import.meta.dirname, '../../scripts/kubectl-neardns')

const kubectl = `#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
case "$*" in
  *"get pods"*nodeName=node-1*) echo "node-1 neardns-a" ;;
  *"get pods"*nodeName=*) ;;
  *"get pods"*) printf 'node-1 neardns-a\\nnode-2 neardns-b\\n' ;;
  *"get pod "*) echo node-1 ;;
  *resolv.conf) printf 'search x\\nnameserver 169.254.20.10\\nnameserver 10.96.0.10\\n' ;;
  *"neardns doctor"*) echo "✓ interception  169.254.20.10: queries come to this daemon"; case "$*" in *neardns-b*) exit 1 ;; esac ;;
  *) echo "ran" ;;
esac
`

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'neardns-plugin-'))
  writeFileSync(join(context.folder, 'kubectl'), kubectl, { mode: 0o755 })
})
test.after(({ folder }) => rmSync(folder, { recursive: true }))

function plugin({ folder }: Context, ...args: readonly string[]) {
  const calls = join(folder, 'calls')
  writeFileSync(calls, '')
  const { status, stdout, stderr } = spawnSync('sh', [script, ...args], {
    encoding: 'utf8',
    env: { ...process.env, CALLS: calls, PATH: `${folder}:${process.env['PATH']}` },
  })
  const ran = readFileSync(calls, 'utf8').trimEnd().split('\n')
  return { status, stdout, stderr, ran }
}

test('a verb runs in the pod of the node, with its arguments', (context) => {
  const { status, stdout, ran } = plugin(
    context,
    '--node',
    'node-1',
    '--context=c',
    'explain',
    'x',
    '--as-pod',
    'shop',
  )
  assert.equal([status, stdout], [0, 'ran\n'])
  assert.match(ran[0] ?? '', '--context c get pods --namespace kube-system')
  assert.is(
    ran[1],
    '--context c exec --stdin --namespace kube-system neardns-a -- neardns explain x --as-pod shop',
  )
})

test('on all nodes each is named, and the worst exit code counts', (context) => {
  const { status, stdout, ran } = plugin(context, '--all-nodes', 'doctor')
  assert.is(status, 1)
  assert.match(stdout, /^== node-1 \(neardns-a\)\n.*\n== node-2 \(neardns-b\)\n/)
  assert.is(ran.length, 3)
})

test('a pod’s name servers are compared with what comes to the daemon of its node', (context) => {
  const { status, stdout } = plugin(context, '--pod', 'shop/web-0')
  assert.is(status, 1)
  assert.match(stdout, '✓ shop/web-0 asks 169.254.20.10: the neardns of node-1\n')
  assert.match(stdout, '✗ shop/web-0 asks 10.96.0.10: not the neardns of node-1\n')
})

const wrong: [string[], string][] = [
  [['doctor'], 'say which with --node, or --all-nodes: node-1 node-2'],
  [['--node', 'node-9', 'doctor'], 'no pod of neardns runs on node-9 in namespace kube-system'],
  [['--node', 'node-1', '--all-nodes', 'doctor'], '--node and --all-nodes: give one of them'],
  [['--nodes', 'doctor'], 'unknown flag --nodes'],
  [['--node'], '--node needs a value'],
  [['--pod', 'web-0'], '--pod takes NAMESPACE/POD, got web-0'],
]
for (const [args, why] of wrong) {
  test(`${args.join(' ')} is answered by a line that helps`, (context) => {
    const { status, stderr } = plugin(context, ...args)
    assert.is(status, 2)
    assert.match(stderr, `kubectl neardns: ${why}`)
  })
}

if (needs('shellcheck')) {
  test('shellcheck finds nothing in it', () => {
    const { stdout } = spawnSync('shellcheck', [script], { encoding: 'utf8' })
    assert.is(stdout, '')
  })
}

test.run()
