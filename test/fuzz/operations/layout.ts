/** Operations that change where a list's bytes lie, not what they are. */
import { expect } from 'chai'
import { InvalidArgumentError, NoPagesError } from 'splicelist'
import { hasAddon } from '../../support/needs.js'
import type { Operations } from '../operation.js'
import { expectError } from '../turn.js'

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
  rebuildAligned: {
    uses: ['rebuildAligned', 'isAligned', 'isAlignedSize'],
    run: (turn) => {
      const { a } = turn
      const alignBytes = turn.choose([4096, 512, 1, 3])
      turn.say(() => `${a.name}.rebuildAligned(${alignBytes})`)
      const rebuild = (): unknown => a.list.rebuildAligned(alignBytes)
      if (alignBytes === 3) return expectError(InvalidArgumentError, rebuild, 'alignment by 3')
      if (!hasAddon && a.model.length > 0) {
        return expectError(NoPagesError, rebuild, 'alignment without the addon')
      }
      turn.read(a, [0, a.model.length], rebuild, () => {
        expect(a.list.isAligned(alignBytes), 'isAligned').to.equal(true)
        const lengths = a.list.explain().map(({ length }) => length)
        const isOdd = lengths.map((length) => length % alignBytes > 0)
        expect(isOdd.indexOf(true), 'the first odd one is the last').to.be.oneOf([
          -1,
          lengths.length - 1,
        ])
        expect(a.list.isAlignedSize(alignBytes), 'isAlignedSize').to.equal(!isOdd.includes(true))
        expect(rebuild(), 'rebuilt again, it copies nothing').to.equal(isOdd.includes(true))
        a.model = a.model.inMemory()
      })
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
