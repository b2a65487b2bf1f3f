/**
 * Before `helm uninstall` deletes anything: lets every daemon start once more with `onStop: remove`, so that its end takes addresses,
 * rules and link off the node. The same steps as in manifests/README.md, for a Job without kubectl. Talks to the API server only, about
 * one ConfigMap and one DaemonSet; ends with 1, and so stops the uninstall, when a node has not followed in time.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

const credentials = process.env.CREDENTIALS ?? '/var/run/secrets/kubernetes.io/serviceaccount'
const namespace = mustHave('NAMESPACE')
const name = mustHave('NAME')
const deadline = Date.now() + Number(mustHave('TIMEOUT_SECONDS')) * 1000
/** The kubelet learns of a changed ConfigMap by a watch; a pod made in the same moment could still get the old one. */
const settleMs = Number(process.env.SETTLE_MS ?? 5000)
const pollMs = Number(process.env.POLL_MS ?? 2000)
/** One request. */
const requestMsMax = 10_000

const configMap = `/api/v1/namespaces/${namespace}/configmaps/${name}`
const daemonSet = `/apis/apps/v1/namespaces/${namespace}/daemonsets/${name}`

process.exitCode = await main().catch((error) => {
  say(`failed: ${error.message}. \`helm uninstall --no-hooks\` deletes without this step.`)
  return 1
})

async function main() {
  const running = await ask('GET', daemonSet)
  if (running === undefined || running.status.desiredNumberScheduled === 0) {
    say('there is no daemon to be stopped')
    return 0
  }
  const config = await ask('GET', configMap)
  const text = config?.data?.['neardns.yaml'] ?? ''
  const changed = leavingNothing(text)
  if (changed === text) {
    say('the daemons leave nothing behind as they are configured')
    return 0
  }
  await ask('PATCH', configMap, { data: { 'neardns.yaml': changed } })
  await wait(settleMs)
  await ask('PATCH', daemonSet, allAtOnce())
  await everyNodeHasFollowed()
  say('every daemon will take its rules and addresses with it')
  return 0
}

/** The text is the chart's or a person's: block style is understood, and anything else is not guessed at. */
function leavingNothing(text) {
  if (/^\s*(onStop:\s*["']?remove|mode:\s*["']?none)\b/m.test(text)) return text
  const section = /^interception:[ \t]*(#.*)?\n(\s*#.*\n|\s*\n)*([ \t]+)\S/m.exec(text)
  if (section === null)
    throw new Error('neardns.yaml has no section `interception` that could be read')
  const kept = text.replace(/^[ \t]+onStop:.*\n/m, '')
  return kept.replace(/^interception:.*\n/m, (line) => `${line}${section[3]}onStop: remove\n`)
}

/** The pods are made anew, on all nodes at the same time, since all are about to go; without surge, for which a node may have no room. */
function allAtOnce() {
  return {
    spec: {
      updateStrategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: 0, maxUnavailable: '100%' },
      },
      template: { metadata: { annotations: { 'neardns/uninstall': new Date().toISOString() } } },
    },
  }
}

async function everyNodeHasFollowed() {
  let said = ''
  while (Date.now() < deadline) {
    const { metadata, status } = await ask('GET', daemonSet)
    const {
      desiredNumberScheduled: wanted,
      updatedNumberScheduled: made = 0,
      numberAvailable: available = 0,
    } = status
    const isSeen = status.observedGeneration >= metadata.generation
    if (isSeen && made >= wanted && available >= wanted) return
    const line = `${made} of ${wanted} daemons started anew, ${available} available`
    if (isSeen && line !== said) say(line)
    if (isSeen) said = line
    await wait(pollMs)
  }
  throw new Error(`not every node has followed in time (${said}); is one of them not ready?`)
}

/** @returns the object, or undefined where there is none */
async function ask(method, path, body) {
  // Read anew each time: the kubelet renews the token.
  const token = readFileSync(`${credentials}/token`, 'utf8').trim()
  const response = await fetch(`${apiServer()}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      'content-type': 'application/strategic-merge-patch+json',
    },
    signal: AbortSignal.timeout(requestMsMax),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (response.status === 404) return undefined
  if (!response.ok)
    throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return await response.json()
}

function apiServer() {
  const given = process.env.API_SERVER
  if (given !== undefined) return given
  const host = mustHave('KUBERNETES_SERVICE_HOST')
  const port = mustHave('KUBERNETES_SERVICE_PORT')
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function mustHave(variable) {
  const value = process.env[variable]
  if (value === undefined || value === '') throw new Error(`${variable} is not set`)
  return value
}

function say(line) {
  process.stdout.write(`${line}\n`)
}
