import BufferListStream, { BufferList, isBufferList } from 'splicelist/bl'
import collect from './collect.cjs'

await collect({ BufferListStream, BufferList, isBufferList })
