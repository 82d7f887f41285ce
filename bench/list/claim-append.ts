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
      splicelist: claiming((parts) => {
        const lists = parts.map((part) => new BufferList(part))
        const all = new BufferList()
        return () => {
          for (const list of lists) all.claimAppend(list)
          return all.length
        }
      }),
      bl: claiming((parts) => {
        const lists = parts.map((part) => new Bl(part))
        const all = new Bl()
        return () => {
          for (const list of lists) all.append(list)
          return all.length
        }
      }),
      uint8arraylist: claiming((parts) => {
        const lists = parts.map((part) => new Uint8ArrayList(part))
        const all = new Uint8ArrayList()
        return () => {
          for (const list of lists) all.append(list)
          return all.length
        }
      }),
    },
  },
]

function claiming(open: (parts: Buffer[]) => () => number): Contender {
  return (scale) => {
    const parts = segments(scale(COUNT), SEGMENT_BYTES)
    return consuming(parts.length, () => open(parts))
  }
}
