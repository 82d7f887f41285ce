/** Moving the whole of a short list to the end of another. */
import { BufferList } from 'splicelist'
import { consuming, type Case, type Contender } from '../harness/case.js'
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
        (all, lists) => {
          for (const list of lists) all.claimAppend(list)
        },
      ),
      bl: claiming(
        (...parts) => new Bl(parts),
        (all, lists) => {
          for (const list of lists) all.append(list)
        },
      ),
      uint8arraylist: claiming(
        (...parts) => new Uint8ArrayList(...parts),
        (all, lists) => {
          for (const list of lists) all.append(list)
        },
      ),
    },
  },
]

/** `claim` is one function for all runs: V8's code for one that was made with its input goes with it. */
function claiming<L extends { readonly length: number }>(
  open: (...parts: Buffer[]) => L,
  claim: (all: L, lists: readonly L[]) => void,
): Contender {
  return (scale) => {
    const parts = segments(scale(COUNT), SEGMENT_BYTES)
    return consuming(parts.length, () => {
      const lists = parts.map((part) => open(part))
      const all = open()
      return () => {
        claim(all, lists)
        return all.length
      }
    })
  }
}
