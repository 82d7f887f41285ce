// The same types for CommonJS: what is required is a class, with the others on it.
import BufferListStream = require('splicelist/bl')

const { BufferList, isBufferList } = BufferListStream
const list: InstanceType<typeof BufferList> = new BufferListStream.BufferList('text')
const stream: BufferListStream = new BufferListStream(list)
export = [stream.length satisfies number, isBufferList(stream) satisfies boolean]
