/** What the sequences do not do, they cannot find. */
import { expect } from 'chai'
import { BufferList } from 'splicelist'
import { MISSING, USED } from './operations/index.js'

/** Members that every check uses, and no operation needs to name. */
const USED_BY_EVERY_CHECK = [
  'length',
  'numBuffers',
  'explain',
  'isContiguous',
  'copyOut',
  'release',
]
/** What the storeys that a list is built of, and the floors above it, call. Not for programs. */
const INTERNAL = [
  'adoptRaw',
  'changing',
  'copyOf',
  'copyRange',
  'cutting',
  'endSome',
  'endViews',
  'ownLeases',
  'reading',
  'settle',
  'stretchAt',
  'stretches',
]

/** Names of everything on an object and on what it inherits from, but for what all objects have. */
function membersOf(prototype: object): string[] {
  const names = new Set<string>()
  for (let at = prototype; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name)
  }
  return [...names]
}

describe('The sequences of operations', () => {
  it('use every member of a list', () => {
    const known = new Set([...USED, ...USED_BY_EVERY_CHECK, ...INTERNAL])
    expect(membersOf(BufferList.prototype).filter((name) => !known.has(name))).to.deep.equal([])
  })

  it('use every member of a cursor', () => {
    const prototype = Object.getPrototypeOf(new BufferList().cursor()) as object
    const unused = membersOf(prototype).filter((name) => !USED.has(`Cursor.${name}`))
    expect(unused).to.deep.equal(['constructor'])
  })

  it('use every static member of the class', () => {
    const statics = Object.getOwnPropertyNames(BufferList)
    const unused = statics.filter((name) => !USED.has(`static ${name}`))
    expect(unused).to.have.members(['length', 'name', 'prototype', 'isBufferList'])
  })

  for (const member of MISSING) it(`will use ${member}, once this build has it`)
})
