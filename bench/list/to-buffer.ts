/** Joining all bytes of a list: the one copy that some callers need. */
import { repeated, type Case, type Contender } from '../harness/case.js'
import { segments } from './inputs.js'
import { blOf, uint8ArrayListOf } from './peers.js'
import { listOf } from './splicelist.js'

const COUNT = 1000
const SEGMENT_BYTES = 4096

export const TO_BUFFER: readonly Case[] = [
  {
    name: `toBuffer/${COUNT}`,
    operation: `${COUNT} segments of 4 KiB joined`,
    unit: 'µs',
    contenders: {
      splicelist: joining((parts) => {
        const list = listOf(parts)
        return () => list.toBuffer()
      }),
      bl: joining((parts) => {
        const list = blOf(parts)
        return () => list.slice()
      }),
      uint8arraylist: joining((parts) => {
        const list = uint8ArrayListOf(parts)
        return () => list.slice()
      }),
      Buffer: joining((parts) => () => Buffer.concat(parts)),
    },
  },
]

function joining(open: (parts: Buffer[]) => () => Uint8Array): Contender {
  return (scale) => {
    const join = open(segments(scale(COUNT), SEGMENT_BYTES))
    return repeated(() => {
      const joined = join()
      return joined.length + (joined[joined.length - 1] as number)
    })
  }
}
