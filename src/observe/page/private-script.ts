/**
 * The part of the page's script that asks for what names names and clients, once somebody has typed the token. The token is a variable of the
 * page: no storage, no cookie, no URL has it, so a reload forgets it.
 */
import { typeText } from '../../core/type-text.ts'

/** Types that clients ask for (IANA): a table in the page, so that the API keeps numbers. */
const types = [1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 43, 48, 64, 65, 255]
const typeNames = Object.fromEntries(types.map((type) => [type, typeText(type)]))

export const privateScript = `
const typeNames = ${JSON.stringify(typeNames)}, shownMax = 20
let token = '', shownReload

async function ask(path) {
  const headers = token === '' ? {} : { authorization: 'Bearer ' + token }
  const response = await fetch(path, { headers, cache: 'no-store' })
  if (!response.ok) throw Object.assign(new Error('status ' + response.status), { isRefusal: response.status === 403 })
  return response.json()
}

/** A daemon that does not answer keeps the token, one that refuses it does not. What comes after the token was forgotten is not shown. */
async function lookAtNames() {
  if (token === '') return
  const asked = token
  try {
    const [now, slow, failed] = await Promise.all(['/v1/top', '/v1/slow', '/v1/failures'].map(ask))
    // It changes with a reload or a start, which the sums tell.
    const reload = JSON.stringify([before && before.reload, before && Math.round((before.atMs - 1000 * before.upSeconds) / 60000)])
    const config = reload === shownReload ? undefined : await ask('/v1/config')
    if (token !== asked) return
    showNames(now)
    flights('slow', slow.queries)
    flights('failed', failed.queries)
    if (config) showSettings(config.settings)
    shownReload = reload
    reveal(true, '')
  } catch (error) {
    if (token !== asked) return
    if (!error.isRefusal) throw error
    reveal(false, 'The daemon does not take this token.')
  }
}

function whose(address, pod) {
  return pod ? pod + ' (' + address + ')' : address
}

function showNames(now) {
  rows('names', now.names.slice(0, shownMax).map((one) => [one.key, one.perSecond.toFixed(1)]))
  rows('clients', now.clients.slice(0, shownMax).map((one) => [whose(one.key, one.pod), one.perSecond.toFixed(1)]))
  rows('slowest', now.slowest.slice(0, shownMax).map((one) => [one.key, one.maxMs.toFixed(1) + ' ms']))
}

function showSettings(settings) {
  const line = (one) => [one.path, one.value, one.from]
  rows('given', settings.filter((one) => one.from !== 'default').map(line))
  rows('defaults', settings.filter((one) => one.from === 'default').map(line))
}

function flights(id, queries) {
  rows(id, queries.slice(0, shownMax).map((one) => [
    new Date(one.atMs).toLocaleTimeString('en-GB') + (one.count > 1 ? ', ' + one.count + ' times' : ''),
    one.tookMs.toFixed(1) + ' ms',
    one.name,
    typeNames[one.type] || 'TYPE' + one.type,
    one.rcode + ' ' + one.source,
    whose(one.client, one.pod) + ' ' + one.proto,
    one.sendings.map((sent) => sent.afterMs.toFixed(0) + ' ms ' + sent.why + ' to ' + sent.upstream + (sent.rcode ? ', ' + sent.rcode : sent.lostTo ? ', lost: ' + sent.lostTo : '')).join('; ') || 'nobody was asked',
  ]))
}

function reveal(isOpen, why) {
  if (!isOpen) {
    token = ''
    shownReload = undefined
    for (const id of ['names', 'clients', 'slowest', 'slow', 'failed', 'given', 'defaults']) rows(id, [])
  }
  byId('private').hidden = !isOpen
  byId('token').hidden = isOpen
  byId('refused').textContent = why
}

byId('token').addEventListener('submit', (event) => {
  event.preventDefault()
  token = byId('secret').value.trim()
  byId('secret').value = ''
  if (token !== '') lookAtNames().catch((error) => { byId('refused').textContent = 'No answer (' + error.message + '); asking again.' })
})
byId('forget').addEventListener('click', () => reveal(false, ''))
`
