/**
 * Directives that are read and do nothing here, each with what stands in its place: `trace`, `pprof`, `metadata`. Their words are checked as
 * far as they decide whether CoreDNS takes them. Source: setup.go of each in CoreDNS 1.14.
 */
import type { Words } from '../../corefile/words.ts'
import { hostPort, quoted, type Reading, refuse, refuseCount, refuseSecond } from '../reading.ts'

const traceOptions: ReadonlyMap<string, (count: number) => boolean> = new Map([
  ...['every', 'service', 'zipkin_max_backlog_size', 'zipkin_max_batch_size'].map(exactlyOne),
  exactlyOne('zipkin_max_batch_interval'),
  ...['client_server', 'datadog_analytics_rate'].map(atMostOne),
])

function exactlyOne(name: string): [string, (count: number) => boolean] {
  return [name, (count) => count === 1]
}

function atMostOne(name: string): [string, (count: number) => boolean] {
  return [name, (count) => count <= 1]
}

export function readTrace(words: Words, reading: Reading): true {
  const { place } = words
  while (words.next()) {
    if (words.rest().length > 2) refuseCount(words, 'trace [TYPE] [ENDPOINT]')
    while (words.nextInBlock()) {
      const { text, place: at } = words
      const takes = traceOptions.get(text)
      if (takes === undefined) {
        refuse(
          at,
          `\`trace\` has no option ${quoted(text)}`,
          `known are ${[...traceOptions.keys()].join(', ')}`,
        )
      }
      if (!takes(words.rest().length)) refuseCount(words, `${text} VALUE`)
    }
  }
  reading.note(
    place,
    '`trace` does nothing here: there are metrics, and `explain` for single names',
  )
  return true
}

export function readPprof(words: Words, reading: Reading): true {
  const { place } = words
  for (let times = 0; words.next(); times++) {
    if (times > 0) refuseSecond(words, 'pprof')
    const [address, ...more] = words.rest()
    if (more.length > 0) refuseCount(words, 'pprof [ADDRESS]')
    if (address !== undefined) hostPort(address)
    while (words.nextInBlock()) readRate(words)
  }
  reading.note(place, '`pprof` does nothing here: it profiles Go programs')
  return true
}

function readRate(words: Words): void {
  if (words.text !== 'block') {
    refuse(words.place, `\`pprof\` has no option ${quoted(words.text)}`, '`block` is known')
  }
  const [rate, ...others] = words.rest()
  if (others.length > 0) refuseCount(words, 'block [RATE]')
  if (rate !== undefined && !/^[+-]?\d+$/.test(rate.text)) {
    refuse(rate.place, `${quoted(rate.text)} is no rate`, 'write a number')
  }
}

/** What it collects, only `template` and `trace` read. */
export function readMetadata(words: Words, reading: Reading): true {
  words.next()
  reading.note(
    words.place,
    '`metadata`: of its labels `log` knows {/log/class} and {/log/type}; others are "-"',
  )
  words.rest()
  if (words.nextInBlock() || words.next()) refuseCount(words, 'metadata [ZONES...]')
  return true
}
