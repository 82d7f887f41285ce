import { BufferList } from 'splicelist'

/** A use of a list. */
type Use = readonly [name: string, use: (list: BufferList) => unknown]

/** Uses that need all of a list's bytes: a hole in it refuses them, and so does its release. */
export const usesOfAll: readonly Use[] = [
  ['append to another', (list) => new BufferList('x').append(list)],
  ['prepend to another', (list) => new BufferList('x').prepend(list)],
  ['claimAppend to another', (list) => new BufferList('x').claimAppend(list)],
  ['append to itself', (list) => list.append(list)],
  ['new BufferList(it)', (list) => new BufferList(list)],
  ['from', (list) => BufferList.from(list)],
  ['substr', (list) => list.substr(0, 0)],
  ['splice', (list) => list.splice(0, 0)],
  ['splice into another', (list) => new BufferList('x').splice(0, 1, list)],
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
  ['compare to it', (list) => new BufferList('x').compare(list)],
  ['isZero', (list) => list.isZero()],
  ['cStr', (list) => list.cStr()],
  ['toBuffer', (list) => list.toBuffer()],
  ['toString', (list) => list.toString()],
  ['cursor', (list) => list.cursor()],
  ['crc32c', (list) => list.crc32c()],
  ['iteration', (list) => [...list]],
  ['rebuild', (list) => list.rebuild()],
  ['compact', (list) => list.compact()],
]

/** All uses: a list that was released refuses them, whatever else is wrong with them. */
export const everyUse: readonly Use[] = [
  ...usesOfAll,
  ['append', (list) => list.append('x')],
  ['append of bytes', (list) => list.append(Buffer.of(1))],
  ['appendCopy', (list) => list.appendCopy('x')],
  ['appendCopy of much', (list) => list.appendCopy(Buffer.alloc(70_000))],
  ['appendUInt8', (list) => list.appendUInt8(1)],
  ['appendZero', (list) => list.appendZero(1)],
  ['prependZero', (list) => list.prependZero(1)],
  ['appendHole', (list) => list.appendHole(1)],
  ['prepend', (list) => list.prepend('x')],
  ['claimAppend', (list) => list.claimAppend(new BufferList('x'))],
  ['substr of a byte', (list) => list.substr(0, 1)],
  ['splice of a byte', (list) => list.splice(0, 1)],
  ['take of a byte', (list) => list.take(1)],
  ['consume of a byte', (list) => list.consume(1)],
  ['truncate to a byte', (list) => list.truncate(1)],
  ['wastedBytes', (list) => list.wastedBytes()],
  ['explain', (list) => list.explain()],
]
