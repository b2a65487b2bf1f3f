/** A decoded DNS message in lines that read like dig's. Control bytes never reach the terminal. */
import {
  dottedName,
  type Message,
  presentRecordType,
  printable,
  type ResourceRecord,
  recordLine,
} from '../wire/record-text.ts'

/** Header line, then every section that has records. */
export function answerText(message: Message): string {
  const sections = [
    [
      'question',
      message.questions?.map(
        (one) => `;${dottedName(one.name)}  IN  ${presentRecordType(one.type)}`,
      ),
    ],
    ['answer', records(message.answers)],
    ['authority', records(message.authorities)],
    ['additional', records(message.additionals)],
  ] as const
  const counts = sections.slice(1).map(([title, lines]) => `${title} ${lines?.length ?? 0}`)
  const header = `;; ${rcodeOf(message)}  flags: ${flagNames(message).join(' ')}  ${counts.join(', ')}\n`
  const parts = sections.flatMap(([title, lines]) =>
    lines === undefined || lines.length === 0 ? [] : [`\n;; ${title}\n${lines.join('\n')}\n`],
  )
  return header + edns(message) + parts.join('')
}

/** The response code; its upper eight bits are in the OPT record (RFC 6891 6.1.3). */
export function rcodeOf(message: Message): string {
  const low = 'rcode' in message ? String(message.rcode) : ''
  const opt = message.additionals?.find((record) => record.type === 'OPT')
  const high = opt !== undefined && 'extendedRcode' in opt ? Number(opt.extendedRcode) : 0
  if (high === 0) return low
  return high === 1 && low === 'NOERROR' ? 'BADVERS' : `RCODE${high * 16} + ${low}`
}

/** RFC 8914: why an answer is stale or missing. */
const extendedErrorCode = 15

/** Codes and texts of RFC 8914, control bytes taken out. */
export function extendedErrors(message: Message): { code: number; text: string }[] {
  const opt = message.additionals?.find((record) => record.type === 'OPT')
  if (opt === undefined || !('options' in opt)) return []
  return opt.options.flatMap((option) => {
    const { code, data } = option as { readonly code: number; readonly data?: unknown }
    if (code !== extendedErrorCode || !Buffer.isBuffer(data) || data.length < 2) return []
    return [{ code: data.readUInt16BE(0), text: printable(data.toString('utf8', 2)) }]
  })
}

function edns(message: Message): string {
  const opt = message.additionals?.find((record) => record.type === 'OPT')
  if (opt === undefined || !('udpPayloadSize' in opt)) return ''
  const errors = extendedErrors(message).map(({ code, text }) => {
    const quoted = text === '' ? '' : ` "${text}"`
    return `;; extended error ${code}${quoted}\n`
  })
  return `;; EDNS  udp ${opt.udpPayloadSize}${opt.flag_do ? '  flags: do' : ''}\n${errors.join('')}`
}

/** @returns flags of the header that are set, as dig names them */
export function flagNames(message: Message): string[] {
  const all: [string, boolean][] = [
    ['qr', message.flag_qr],
    ['aa', message.flag_aa],
    ['tc', message.flag_tc],
    ['rd', message.flag_rd],
    ['ra', message.flag_ra],
    ['ad', message.flag_ad],
    ['cd', message.flag_cd],
  ]
  return all.flatMap(([flag, isSet]) => (isSet ? [flag] : []))
}

function records(list: readonly ResourceRecord[] | undefined): string[] {
  return (list ?? []).filter((record) => record.type !== 'OPT').map(recordLine)
}
