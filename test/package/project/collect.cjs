// Collects a stream as bl's users do, and sends what was collected on as they could not.
const { deepEqual, equal } = require('node:assert/strict')
const { PassThrough, Readable } = require('node:stream')
const { pipeline } = require('node:stream/promises')

module.exports = async function collect({ BufferListStream, BufferList, isBufferList }) {
  const bl = new BufferListStream(new BufferList('head '))
  await pipeline(Readable.from([Buffer.from('pay'), Buffer.from('load')]), bl)
  equal(isBufferList(bl), true)
  equal(bl.toString(), 'head payload')
  equal(bl.consume(5).readUInt32BE(1), 0x61796c6f)
  deepEqual(bl.getBuffers().map(String), ['pay', 'load'])

  const sink = new PassThrough()
  equal(await bl.list.spliceTo(sink, { consume: true }), 7)
  equal(sink.read().toString(), 'payload')
  equal(bl.length, 0)
  console.log('collected and sent')
}
