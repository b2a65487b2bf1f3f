/** Goal: frames are those of Frame Streams, and anything else is told apart. Method: bytes of the specification; the real reader in tap.test.ts. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Control, controlFrame, controlIn, dataFrame } from '../../../src/daemon/dnstap/frames.ts'

const test = suite('daemon/dnstap/frames')

test('a control frame has its lengths, its type, and the type of the content where one is due', () => {
  const start = controlFrame(Control.start)
  assert.is(start.subarray(0, 20).toString('hex'), '0000000000000022000000020000000100000016')
  assert.is(start.subarray(20).toString(), 'protobuf:dnstap.Dnstap')
  assert.is(controlFrame(Control.stop).toString('hex'), '000000000000000400000003')
  assert.is(dataFrame(Buffer.from('abc')).toString('hex'), '00000003616263')
})

test('control frames are read when they are whole, and what is none is told', () => {
  const accept = controlFrame(Control.accept)
  for (let cut = 0; cut < accept.length; cut++)
    assert.is(controlIn(accept.subarray(0, cut)), undefined, `${cut} bytes`)
  assert.is(controlIn(accept), Control.accept)
  assert.is(controlIn(dataFrame(Buffer.from('abcdefgh'))), 'malformed')
  assert.is(controlIn(Buffer.from('00000000ffffffff00000001', 'hex')), 'malformed')
})

test.run()
