/** What the sequences do not do, they cannot find. */
import { expect } from 'chai'
import { BufferList } from 'splicelist'
import { MISSING, USED } from './operations/index.js'

/** Members that no operation needs to name: every check uses them. */
const USED_BY_EVERY_CHECK = [
  'length',
  'numBuffers',
  'explain',
  'isContiguous',
  'copyOut',
  'release',
]
/** Faces of others: `using` calls it, and it calls `release`. The machine's own doors. */
const NOT_OPERATIONS = ['adoptRaw']

function membersOf(prototype: object): string[] {
  return Object.getOwnPropertyNames(prototype)
}

describe('The sequences of operations', () => {
  it('use every member of a list', () => {
    const known = new Set([...USED, ...USED_BY_EVERY_CHECK, ...NOT_OPERATIONS])
    const unused = membersOf(BufferList.prototype).filter((member) => !known.has(member))
    expect(unused).to.deep.equal([])
  })

  it('use every member of a cursor', () => {
    const prototype = Object.getPrototypeOf(new BufferList().cursor()) as object
    const unused = membersOf(prototype).filter((member) => !USED.has(`Cursor.${member}`))
    expect(unused).to.deep.equal(['constructor'])
  })

  it('use every static member of the class', () => {
    const statics = membersOf(BufferList).filter(
      (member) => !['prototype', 'name'].includes(member),
    )
    expect(statics.filter((member) => !USED.has(`static ${member}`))).to.deep.equal([
      'length',
      'isBufferList',
    ])
  })

  for (const member of MISSING) it(`will use ${member}, once this build has it`)
})
