/// <reference types="node" preserve="true" />
/**
 * @module
 */
import './transfer/list-moves.js'

export { BufferList } from './bl/buffer-list.js'
export {
  BufferListStream,
  BufferListStream as default,
  // What `require` returns.
  BufferListStream as 'module.exports',
  type CollectedCallback,
} from './bl/buffer-list-stream.js'
export type { Collector } from './bl/collector.js'
export { isBufferList, type BufferListAcceptedTypes } from './bl/parts.js'
export type { Scalars } from './bl/scalars.js'
