/**
 * The sequences find what they are for: each test plants a bug that a list could have, and reads what
 * a person would get to see.
 */
import { expect } from 'chai'
import { BufferList } from 'splicelist'
import '../raw/pipes.js'
import { tempFolder } from '../support/folders.js'
import { rejection } from '../list/rejection.js'
import { hunt } from './hunt.js'
import { againstModels } from './sequence.js'
import { makeContentFile } from './world.js'

/** Sequences find each of these within a fraction of that. */
const OPERATIONS_MAX = 20_000
/** Lines that say what was done, and one that says what was wrong. */
const LINES_MAX = 6

const real = Object.getOwnPropertyDescriptors(BufferList.prototype)
// eslint-disable-next-line @typescript-eslint/unbound-method -- They are called on lists.
const { append, splice, claimAppend, consume, cStr, substr } = BufferList.prototype

/** Lists that a bug keeps, for the test to release. */
const leaked: BufferList[] = []

interface PlantedBug {
  readonly title: string
  plant(list: BufferList): void
}

const bugs: readonly PlantedBug[] = [
  {
    title: 'a list that loses its last byte when it is appended to itself',
    plant: (list) => {
      list.append = function (this: BufferList, part) {
        const isItself = part === this
        append.call(this, part)
        return isItself && this.length > 0 ? this.truncate(this.length - 1) : this
      }
    },
  },
  {
    title: 'a splice that takes one byte too many where it replaces nothing',
    plant: (list) => {
      list.splice = function (this: BufferList, offset, length, replacement?) {
        const isLonger = length === 0 && replacement !== undefined && offset < this.length
        return splice.call(this, offset, isLonger ? 1 : length, replacement)
      }
    },
  },
  {
    title: 'a claimAppend that leaves the other list as it was',
    plant: (list) => {
      list.claimAppend = function (this: BufferList, other) {
        leaked.push(other)
        return other === this ? claimAppend.call(this, other) : append.call(this, other)
      }
    },
  },
  {
    title: 'a consume that accepts more than there is',
    plant: (list) => {
      list.consume = function (this: BufferList, length) {
        return consume.call(this, Math.min(length, this.length))
      }
    },
  },
  {
    title: 'a view that goes on showing memory that something else has got',
    plant: (list) => {
      const shared = Buffer.alloc(200_000)
      list.cStr = function (this: BufferList, offset, length) {
        const view = cStr.call(this, offset, length)
        shared.set(view)
        return shared.subarray(0, view.length)
      }
    },
  },
  {
    title: 'a substr that keeps a reference too many',
    plant: (list) => {
      list.substr = function (this: BufferList, offset, length) {
        const kept = new BufferList(this)
        leaked.push(kept)
        return substr.call(kept, offset, length)
      }
    },
  },
]

describe('A bug that is planted into lists', () => {
  afterEach(() => {
    for (const name of Object.keys(BufferList.prototype)) {
      if (!(name in real)) Reflect.deleteProperty(BufferList.prototype, name)
    }
    Object.defineProperties(BufferList.prototype, real)
    for (const list of leaked.splice(0)) list.release()
  })

  for (const bug of bugs) {
    it(`is found and shrunk to a few lines: ${bug.title}`, async function () {
      this.timeout(0)
      const ground = againstModels(await makeContentFile(await tempFolder('tmpfs')))
      const extent = { operations: OPERATIONS_MAX, minutes: 5 }
      bug.plant(BufferList.prototype)
      const { message } = await rejection(hunt(ground, extent, { seed: 1, path: '' }))
      const lines = message.split('\n').filter((line) => line.startsWith('    '))
      expect(lines.length, message).to.be.at.most(LINES_MAX)
      const path = /SPLICELIST_SEED=1:(\S+)/.exec(message)?.[1] ?? ''
      const again = await rejection(hunt(ground, extent, { seed: 1, path }))
      expect(again.message.split('\n').slice(1, -1)).to.deep.equal(message.split('\n').slice(1, -1))
    })
  }
})
