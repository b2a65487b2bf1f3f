/**
 * What the status page does in a browser, as text: asks `/v1/status` once a second, makes rates of the counts, draws. Everything that comes from
 * the daemon is set as text, never as markup. Kept free of what only newer browsers know.
 */
import { privateScript } from './private-script.ts'

export const pageScript = `
'use strict'
const kept = 120, everyMs = 1000, slowestMs = 10000
const byId = (id) => document.getElementById(id)
const series = { qps: [], hits: [], p99: [], p50: [], stale: [], spared: [] }
let before, timer, isLooking = false, waitMs = everyMs

function quantile(counts, share) {
  const all = counts.reduce((sum, count) => sum + count, 0)
  let seen = 0
  if (all > 0) for (let at = 0; at < counts.length; at++) {
    seen += counts[at]
    if (seen >= share * all) return 0.25 * 2 ** Math.min(at, 15)
  }
}

function between(one, now) {
  const seconds = Math.max(0.001, (now.atMs - one.atMs) / 1000)
  const source = (name) => (now.bySource[name] || 0) - (one.bySource[name] || 0)
  const queries = Math.max(0, now.queries - one.queries)
  const durations = now.durations.map((count, at) => count - one.durations[at])
  const percent = (count) => queries > 0 ? 100 * count / queries : undefined
  return {
    qps: queries / seconds,
    hits: percent(source('cacheSuccess') + source('cacheDenial')),
    stale: percent(source('stale')),
    spared: Math.max(0, now.spared - one.spared) / seconds,
    p50: quantile(durations, 0.5),
    p99: quantile(durations, 0.99),
    cpu: Math.max(0, now.cpuMs - one.cpuMs) / seconds / 10,
  }
}

const share = (percent) => percent === undefined ? '-' : percent.toFixed(1) + ' %'
const whole = (value) => Math.round(value).toLocaleString('en')
const mib = (bytes) => (bytes / 1048576).toFixed(1) + ' MiB'

function ago(seconds) {
  const units = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']]
  for (const [size, text] of units) if (seconds >= size) return Math.floor(seconds / size) + ' ' + text
  return '0 s'
}

function draw(id, points) {
  const numbers = points.filter((point) => point !== undefined)
  const most = id === 'line-hits' || id === 'line-stale' ? 100 : Math.max(...numbers, 0) || 1
  const at = (index, point) => (index * 300 / (kept - 1)).toFixed(1) + ',' + (48 - 46 * point / most).toFixed(1)
  const shift = kept - points.length
  const drawn = points.map((point, index) => point === undefined ? '' : at(index + shift, point)).filter((text) => text !== '')
  byId(id).setAttribute('points', drawn.join(' '))
}

function rows(id, lines) {
  const body = byId(id)
  body.textContent = ''
  for (const cells of lines) {
    const row = body.insertRow()
    for (const cell of cells) {
      const place = row.insertCell()
      place.textContent = cell
      if (cell === 'down') place.className = 'bad'
    }
  }
}

function show(now) {
  // A daemon that has started since counts from zero again.
  const isSame = before !== undefined && now.queries >= before.queries && now.cpuMs >= before.cpuMs
  const rates = isSame ? between(before, now) : undefined
  before = now
  const isReady = now.notReady.length === 0
  byId('state').textContent = isReady ? 'ready' : 'not ready: ' + now.notReady.join('; ')
  byId('state').className = isReady ? 'good' : 'bad'
  byId('about').textContent = 'neardns ' + now.version + ', up ' + ago(now.upSeconds) + (now.workers > 1 ? ', ' + now.workers + ' workers' : '')
  byId('listening').textContent = now.listening.join(' ')
  byId('totals').textContent = now.queries === 0 ? 'No query has come yet.' : whole(now.queries) + ' queries, ' + whole(now.spared) + ' questions spared (' + now.searchLevel + '), ' + whole(now.drops) + ' dropped'
  byId('cache').textContent = whole(now.cache.answers) + ' answers, ' + whole(now.cache.denials) + ' denials, ' + mib(now.cache.bytes) + ' of ' + mib(now.cache.bytesMax)
  byId('flight').textContent = whole(now.inFlight.questions) + ' of ' + whole(now.inFlight.questionsMax) + ' questions, ' + whole(now.inFlight.waiters) + ' clients wait'
  byId('config').textContent = (now.reload.isLastGood ? 'in force' : 'the newest was refused; the one in force is') + ' since ' + new Date(now.reload.appliedSeconds * 1000).toISOString()
  rows('upstreams', now.upstreams.map((one) => [one.name, one.group, one.isUp ? 'up' : 'down', one.roundTripMs > 0 ? one.roundTripMs.toFixed(1) + ' ms' : 'not asked yet', String(one.inFlight), whole(one.failures)]))
  rows('rcodes', Object.entries(now.byRcode).sort((a, b) => b[1] - a[1]).map(([code, count]) => [code, whole(count)]))
  if (rates !== undefined) showRates(now, rates)
}

function showRates(now, rates) {
  byId('qps').textContent = rates.qps < 10 ? rates.qps.toFixed(1) : whole(rates.qps)
  byId('hits').textContent = share(rates.hits)
  byId('stale').textContent = share(rates.stale)
  byId('spared').textContent = rates.spared.toFixed(1)
  byId('p50').textContent = rates.p50 === undefined ? '-' : rates.p50 + ' ms'
  byId('p99').textContent = rates.p99 === undefined ? '-' : rates.p99 + ' ms'
  byId('process').textContent = mib(now.rssBytes) + (now.memoryLimitBytes > 0 ? ' of ' + mib(now.memoryLimitBytes) : '') + ', ' + rates.cpu.toFixed(1) + ' % of a CPU'
  for (const name of Object.keys(series)) {
    series[name].push(rates[name])
    if (series[name].length > kept) series[name].shift()
    draw('line-' + name, series[name])
  }
}

function fail(why) {
  byId('state').className = 'bad'
  byId('state').textContent = 'no answer (' + why + '); asking again in ' + Math.round(waitMs / 1000) + ' s'
}

async function look() {
  isLooking = true
  try {
    show(await ask('/v1/status'))
    waitMs = everyMs
    document.body.className = ''
    await lookAtNames()
  } catch (error) {
    waitMs = Math.min(slowestMs, waitMs * 2)
    // What is shown is of before.
    document.body.className = 'old'
    fail(error instanceof Error ? error.message : String(error))
  }
  document.documentElement.dataset.looks = String(Number(document.documentElement.dataset.looks || 0) + 1)
  isLooking = false
  again()
}

/** A page that nobody sees asks nothing; on its return it begins its rates anew. */
function again() {
  clearTimeout(timer)
  timer = undefined
  if (!document.hidden) timer = setTimeout(look, waitMs)
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) return again()
  before = undefined
  for (const name of Object.keys(series)) series[name].length = 0
  if (isLooking) return
  clearTimeout(timer)
  look()
})
${privateScript}look()
`
