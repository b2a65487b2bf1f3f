/**
 * The status page at `/`: one HTML file without outside assets, dark or light as the browser wants it, for screens from a phone's on. Shows sums;
 * names, clients, slow queries and the configuration only to who types the token, which stays in the page's memory. Has no data in it: the script asks for them.
 */
import { createHash } from 'node:crypto'
import type { Page } from '../admin-calls.ts'
import { pageScript } from './script.ts'

const style = `
:root { color-scheme: light dark; --back: #fff; --ink: #1c2430; --faint: #5d6b7c; --card: #f2f5f8; --line: #2b6cb0; --good: #18794e; --bad: #b42318 }
@media (prefers-color-scheme: dark) { :root { --back: #12161c; --ink: #e6ebf1; --faint: #93a1b1; --card: #1c232c; --line: #63b3ed; --good: #4cc38a; --bad: #ff7b72 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 70rem; padding: 1rem; background: var(--back); color: var(--ink); font: 15px/1.45 system-ui, sans-serif }
h1 { font-size: 1.1rem; margin: 0 } h2 { font-size: .95rem; margin: 1.2rem 0 .3rem }
.faint { color: var(--faint) } .good { color: var(--good) } .bad { color: var(--bad); font-weight: 600 }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .6rem; margin-top: .8rem }
.tile { background: var(--card); border-radius: .5rem; padding: .6rem .8rem }
.tile b { display: block; font-size: 1.4rem; font-variant-numeric: tabular-nums }
svg { width: 100%; height: 3rem } polyline { fill: none; stroke: var(--line); stroke-width: 1.5; vector-effect: non-scaling-stroke }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--card); white-space: nowrap }
th { color: var(--faint); font-weight: 500 } dl { display: grid; grid-template-columns: 7rem 1fr; gap: .2rem } dd { margin: 0 } dt { color: var(--faint) }
input, button { font: inherit; padding: .3rem .5rem; color: var(--ink); background: var(--card); border: 1px solid var(--faint); border-radius: .3rem }
.old .tiles, .old table, .old dl { opacity: .45 } tbody:empty::after { content: "none"; color: var(--faint) } dd { overflow-wrap: anywhere }
.lists { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 0 1.5rem }
.pair td:first-child, .settings td, .flights td:nth-child(3), .flights td:last-child { white-space: normal; overflow-wrap: anywhere }
.flights td:nth-child(3) { min-width: 16rem } .flights td:last-child { min-width: 13rem } .pair :is(td, th):last-child { text-align: right; padding-right: 0 }
@media (max-width: 45rem) {
  .flights thead { display: none } .flights tr { display: flex; flex-wrap: wrap; gap: 0 .7rem; border-bottom: 1px solid var(--card); padding: .3rem 0 }
  .flights td { border: 0; padding: 0 } .flights td:nth-child(3) { order: -1; flex-basis: 100% }
}
`

const tile = (id: string, title: string) =>
  `<div class="tile">${title}<b id="${id}">-</b><svg viewBox="0 0 300 50" preserveAspectRatio="none" aria-hidden="true"><polyline id="line-${id}"/></svg></div>`

const table = (id: string, ...titles: string[]) => tableOf('', id, titles)

const tableOf = (kind: string, id: string, titles: readonly string[]) =>
  `<div class="wide"><table class="${kind}"><thead><tr>${titles.map((title) => `<th>${title}</th>`).join('')}</tr></thead><tbody id="${id}"></tbody></table></div>`

const pairs = (title: string, id: string, ...titles: string[]) =>
  `<div><h2>${title}</h2>${tableOf('pair', id, titles)}</div>`

const flights = (id: string) =>
  tableOf('flights', id, ['when', 'took', 'name', 'type', 'reply', 'client', 'asked'])

const privateSide = `<h2>Names, clients, slow queries, configuration</h2>
<form id="token" class="faint">With the token of admin.tokenFile: <input id="secret" type="password" autocomplete="off" aria-label="token"> <button>show</button></form><div id="refused" class="bad" role="alert"></div>
<div id="private" hidden><button id="forget" type="button">forget the token</button>
<div class="lists">${pairs('Names', 'names', 'name', 'q/s')}${pairs('Slowest names', 'slowest', 'name', 'longest')}${pairs('Clients', 'clients', 'client', 'q/s')}</div>
<h2>Slow queries</h2>${flights('slow')}<h2>Failed queries</h2>${flights('failed')}
<h2>Configuration in force</h2>${tableOf('settings', 'given', ['setting', 'value', 'from'])}
<details><summary class="faint">all defaults</summary>${tableOf('settings', 'defaults', ['setting', 'value', 'from'])}</details></div>`

const facts = ['listening', 'totals', 'cache', 'flight', 'process', 'config']
const titles = ['listening', 'so far', 'cache', 'in flight', 'process', 'configuration']

const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>neardns</title><style>${style}</style></head><body>
<h1 id="about">neardns</h1><div id="state" class="faint" role="status">asking</div>
<div class="tiles">${[
  tile('qps', 'queries a second'),
  tile('hits', 'from the cache'),
  tile('p99', 'p99, at most'),
  tile('p50', 'p50, at most'),
  tile('stale', 'stale'),
  tile('spared', 'spared a second'),
].join('')}</div>
<h2>Upstreams</h2>${table('upstreams', 'upstream', 'group', 'state', 'round trip', 'in flight', 'failures')}
<h2>Daemon</h2><dl>${facts.map((id, at) => `<dt>${titles[at]}</dt><dd id="${id}">-</dd>`).join('')}</dl>
<h2>Response codes</h2>${table('rcodes', 'code', 'replies')}
${privateSide}
<noscript>This page needs JavaScript; <code>neardns status</code> does not.</noscript>
<script>${pageScript}</script></body></html>
`

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Nothing but this script and this style runs, nothing but this server is asked, and no other page may frame it. */
const policy = [
  "default-src 'none'",
  `script-src ${hashOf(pageScript)}`,
  `style-src ${hashOf(style)}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export const statusPage: Page = {
  status: 200,
  body: html,
  contentType: 'text/html; charset=utf-8',
  headers: { 'content-security-policy': policy, 'referrer-policy': 'no-referrer' },
}
