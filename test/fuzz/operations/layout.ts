/** Operations that change where a list's bytes lie, not what they are. */
import { expect } from 'chai'
import type { Operations } from '../operation.js'

export const layout: Operations = {
  rebuild: {
    uses: ['rebuild', 'isContiguous', 'numBuffers'],
    weight: 1,
    run: (turn) => {
      const { a } = turn
      turn.say(() => `${a.name}.rebuild()`)
      turn.read(
        a,
        [0, a.model.length],
        () => a.list.rebuild(),
        () => {
          expect(a.list.isContiguous(), 'contiguous').to.equal(true)
          a.model = a.model.inMemory()
        },
      )
    },
  },
  compact: {
    uses: ['compact', 'wastedBytes'],
    run: (turn) => {
      const { a } = turn
      turn.say(() => `${a.name}.compact()`)
      const segments = a.list.numBuffers
      const wasted = a.list.wastedBytes()
      a.list.compact()
      expect(a.list.numBuffers, 'segments').to.be.at.most(segments)
      expect(a.list.wastedBytes(), 'wasted').to.be.within(0, wasted)
    },
  },
}
