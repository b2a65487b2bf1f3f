/**
 * Frame Streams, the framing of dnstap (https://farsightsec.github.io/fstrm/): a length before each message, and control frames by which
 * writer and reader agree on what is written. Pure.
 */

const contentType = Buffer.from('protobuf:dnstap.Dnstap')
const contentTypeField = 1
/** A control frame has at least its type; the library takes 512 bytes at most. */
const controlBytesMax = 512

export const Control = { accept: 1, start: 2, stop: 3, ready: 4, finish: 5 } as const
export type Control = (typeof Control)[keyof typeof Control]

/** An escape (length 0), the length of the control frame, its type and fields; all numbers in network order. */
export function controlFrame(type: Control): Buffer {
  const hasContent = type === Control.ready || type === Control.start || type === Control.accept
  const bytes = 4 + (hasContent ? 8 + contentType.length : 0)
  const frame = Buffer.alloc(8 + bytes)
  frame.writeUInt32BE(bytes, 4)
  frame.writeUInt32BE(type, 8)
  if (!hasContent) return frame
  frame.writeUInt32BE(contentTypeField, 12)
  frame.writeUInt32BE(contentType.length, 16)
  contentType.copy(frame, 20)
  return frame
}

export function dataFrame(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(4 + message.length)
  frame.writeUInt32BE(message.length, 0)
  message.copy(frame, 4)
  return frame
}

/** @returns the type of a whole control frame; undefined while it is not whole; 'malformed' for anything else */
export function controlIn(bytes: Buffer): number | undefined | 'malformed' {
  if (bytes.length >= 4 && bytes.readUInt32BE(0) !== 0) return 'malformed'
  if (bytes.length < 12) return undefined
  const length = bytes.readUInt32BE(4)
  if (length < 4 || length > controlBytesMax) return 'malformed'
  return bytes.length < 8 + length ? undefined : bytes.readUInt32BE(8)
}
