// A program that was written for bl, but for the name, and that goes on with the list.
import BufferListStream, { BufferList } from 'splicelist/bl'
import type { BufferListAcceptedTypes } from 'splicelist/bl'
import type { BufferList as List } from 'splicelist'

export function collect(...parts: BufferListAcceptedTypes[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream: BufferListStream = new BufferListStream((error, bytes?: Buffer) => {
      if (error === null && bytes !== undefined) resolve(bytes)
      else reject(error)
    })
    stream.end(new BufferList(parts).shallowSlice(1).slice())
  })
}

export const list: List = new BufferListStream(['a', [1, Buffer.from('b')]]).consume(1).list
