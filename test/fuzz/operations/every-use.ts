import { BufferList } from 'splicelist'

/** A use of a list, none of which it stands after its release. */
type Use = readonly [name: string, use: (list: BufferList) => unknown]

export const everyUse: readonly Use[] = [
  ['append', (list) => list.append('x')],
  ['append of itself', (list) => list.append(list)],
  ['appendCopy', (list) => list.appendCopy('x')],
  ['prepend', (list) => list.prepend('x')],
  ['claimAppend', (list) => list.claimAppend(new BufferList('x'))],
  ['claimAppend from it', (list) => new BufferList('x').claimAppend(list)],
  ['new BufferList(it)', (list) => new BufferList(list)],
  ['from', (list) => BufferList.from(list)],
  ['substr', (list) => list.substr(0, 0)],
  ['splice', (list) => list.splice(0, 0)],
  ['splice with it', (list) => new BufferList('x').splice(0, 1, list)],
  ['take', (list) => list.take(0)],
  ['consume', (list) => list.consume(0)],
  ['truncate', (list) => list.truncate(0)],
  ['byteAt', (list) => list.byteAt(0)],
  ['copyOut', (list) => list.copyOut(0, new Uint8Array(1))],
  ['indexOf', (list) => list.indexOf('x')],
  ['includes', (list) => list.includes('x')],
  ['equals', (list) => list.equals('x')],
  ['equals to it', (list) => new BufferList('x').equals(list)],
  ['compare', (list) => list.compare('x')],
  ['cStr', (list) => list.cStr()],
  ['toBuffer', (list) => list.toBuffer()],
  ['toString', (list) => list.toString()],
  ['cursor', (list) => list.cursor()],
  ['crc32c', (list) => list.crc32c()],
  ['iteration', (list) => [...list]],
  ['rebuild', (list) => list.rebuild()],
  ['explain', (list) => list.explain()],
]
