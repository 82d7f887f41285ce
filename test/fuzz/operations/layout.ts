/** Operations that change where a list's bytes lie, not what they are. */
import { expect } from 'chai'
import type { Operations } from '../operation.js'
import { whole } from '../whole.js'

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
    uses: ['compact'],
    run: (turn) => {
      const { a } = turn
      turn.say(() => `${a.name}.compact()`)
      const segments = a.list.numBuffers
      whole(a.list).compact()
      expect(a.list.numBuffers, 'segments').to.be.at.most(segments)
    },
  },
}
