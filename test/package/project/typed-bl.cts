// The same types for CommonJS: what is required is a class, with the others on it.
import BufferListStream = require('splicelist/bl')
import { BufferList, isBufferList } from 'splicelist/bl'

const list: BufferList = new BufferListStream.BufferList('text')
const stream: BufferListStream = new BufferListStream(list)
export = [stream.length satisfies number, isBufferList(stream) satisfies boolean]
