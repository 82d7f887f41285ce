/** What the sequences do not do, they cannot find. */
import { expect } from 'chai'
import { BufferList } from 'splicelist'
import { CURSOR_MEMBERS, LIST_MEMBERS } from './members.js'
import { USED } from './operations/index.js'

/** Members that every check uses, and no operation needs to name. */
const USED_BY_EVERY_CHECK = [
  'length',
  'numBuffers',
  'explain',
  'isContiguous',
  'copyOut',
  'release',
]

describe('The sequences of operations', () => {
  it('use every member of a list', () => {
    const known = new Set([...USED, ...USED_BY_EVERY_CHECK])
    expect(LIST_MEMBERS.filter((name) => !known.has(name))).to.deep.equal([])
  })

  it('use every member of a cursor', () => {
    expect(CURSOR_MEMBERS.filter((name) => !USED.has(`Cursor.${name}`))).to.deep.equal([])
  })

  it('use every static member of the class', () => {
    const statics = Object.getOwnPropertyNames(BufferList)
    const unused = statics.filter((name) => !USED.has(`static ${name}`))
    expect(unused).to.have.members(['length', 'name', 'prototype', 'isBufferList'])
  })
})
