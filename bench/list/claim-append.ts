/** Moving the whole of a short list to the end of another. */
import { BufferList } from 'splicelist'
import { consuming, type Case, type Contender } from '../harness/case.js'
import { inBatches } from './batches.js'
import { segments } from './inputs.js'
import { Bl, Uint8ArrayList } from './peers.js'

const COUNT = 50_000
const SEGMENT_BYTES = 64

export const CLAIM_APPEND: readonly Case[] = [
  {
    name: 'claimAppend/one-segment',
    operation: 'a list of one segment moved to the end of another (the peers share it)',
    unit: 'ns',
    target: 30,
    contenders: {
      splicelist: claiming(
        (...parts) => new BufferList(...parts),
        (all, lists, from, to) => {
          for (let i = from; i < to; i++) all.claimAppend(lists[i] as BufferList)
        },
      ),
      bl: claiming(
        (...parts) => new Bl(parts),
        (all, lists, from, to) => {
          for (let i = from; i < to; i++) all.append(lists[i] as Bl)
        },
      ),
      uint8arraylist: claiming(
        (...parts) => new Uint8ArrayList(...parts),
        (all, lists, from, to) => {
          for (let i = from; i < to; i++) all.append(lists[i] as Uint8ArrayList)
        },
      ),
    },
  },
]

/** `claim` moves the lists from one index up to another. */
function claiming<L extends { readonly length: number }>(
  open: (...parts: Buffer[]) => L,
  claim: (all: L, lists: readonly L[], from: number, to: number) => void,
): Contender {
  return (scale) => {
    const parts = segments(scale(COUNT), SEGMENT_BYTES)
    return consuming(parts.length, () => {
      const lists = parts.map((part) => open(part))
      const all = open()
      return () => {
        inBatches(lists.length, (from, to) => {
          claim(all, lists, from, to)
          return 0
        })
        return all.length
      }
    })
  }
}
