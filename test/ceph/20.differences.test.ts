/**
 * Where our lists mean to differ from `ceph::buffer::list`, and that they do: what the real one says,
 * what ours does, and why. `CEPH.md` tells the same to people.
 */
import { expect } from 'chai'
import { BufferList, EndOfBufferError, InvalidArgumentError } from 'splicelist'
import { afterwards } from '../support/cleanup.js'
import { CephOracle, whyNoCeph } from './oracle.js'

/** The bytes that commands know: four and one more, which is negative as a `char`. */
const content = Buffer.concat([Buffer.from('0141424380', 'hex'), Buffer.alloc(48)])

interface Difference {
  readonly what: string
  readonly why: string
  /** Commands to an interpreter whose list 0 has the first four bytes, and list 1 the last. */
  readonly command: string
  readonly theirs: string
  readonly ours: (list: BufferList, last: BufferList) => void
}

const DIFFERENCES: readonly Difference[] = [
  {
    what: 'a splice whose range ends outside is refused',
    why: 'Ceph checks where the range begins, and walks off the end of its list',
    command: 'splice 0 2 2 9',
    theirs: 'unchecked',
    ours: (list) => expect(() => list.splice(2, 9)).to.throw(InvalidArgumentError),
  },
  {
    what: 'a splice of nothing is refused where it lies outside',
    why: 'an offset that is wrong is wrong whatever the length',
    command: 'splice 0 2 99 0',
    theirs: '4 2189431941 0 4294967295',
    ours: (list) => expect(() => list.splice(99, 0)).to.throw(InvalidArgumentError),
  },
  {
    what: 'a range that ends outside is an invalid argument, a read that does is an end of buffer',
    why: 'a decoder meets the second with a truncated message, the first is a mistake of the program',
    command: 'substr_of 0 2 2 9',
    theirs: 'end_of_buffer',
    ours: (list) => {
      expect(() => list.substr(2, 9)).to.throw(InvalidArgumentError)
      expect(() => list.cursor(2).readList(9)).to.throw(EndOfBufferError)
    },
  },
  {
    what: 'the crc of a range that ends outside is refused',
    why: 'Ceph takes the crc of what is there; a checksum of fewer bytes than were asked for is none',
    command: 'crc_of_range 0 2 99 0',
    theirs: '2323191970',
    ours: (list) => {
      expect(list.substr(2).crc32c()).to.equal(2323191970)
      expect(() => list.substr(2, 99)).to.throw(InvalidArgumentError)
    },
  },
  {
    what: 'bytes are ordered as unsigned',
    why: "Ceph's < and > compare `char`, which is signed on some machines; its ptr::cmp is unsigned",
    command: 'compare 0 1',
    theirs: '00 01',
    ours: (list, last) => expect(list.compare(last)).to.equal(-1),
  },
]

describe('Our lists differ from ceph::buffer::list on purpose:', () => {
  const why = whyNoCeph()
  let oracle: CephOracle
  before(async function () {
    this.timeout(120_000)
    if (why !== undefined) return
    oracle = await CephOracle.start(content)
    afterwards(() => oracle.end())
  })

  for (const { what, why: reason, command, theirs, ours } of DIFFERENCES) {
    it(`${what} (${reason})`, async function () {
      const list = new BufferList(content.subarray(0, 4))
      ours(list, new BufferList(content.subarray(4, 5)))
      expect(list.toString('hex')).to.equal('01414243')
      if (why !== undefined) this.skip()
      const answers = await oracle.ask(['begin', 'append 0 0 4', 'append 1 4 1', command])
      expect(answers.at(-1)).to.equal(theirs)
    })
  }

  it('a dump stars every row that repeats, as `hexdump -C` (Ceph: rows of one byte, not the last)', async function () {
    const linesOf = (dump: string): string[] => dump.split('\n').map((line) => line.slice(0, 8))
    const zeros = new BufferList().appendZero(48)
    expect(linesOf(zeros.hexdump())).to.deep.equal(['00000000', '*', '00000030', ''])
    const pattern = new BufferList(Buffer.from('0123456789abcdef'.repeat(3)))
    expect(linesOf(pattern.hexdump())).to.deep.equal(['00000000', '*', '00000030', ''])
    if (why !== undefined) this.skip()
    const [, , theirs = ''] = await oracle.ask(['begin', 'append 0 5 48', 'hexdump 0'])
    const rows = ['00000000', '*', '00000020', '00000030', '']
    expect(linesOf(Buffer.from(theirs, 'hex').toString())).to.deep.equal(rows)
  })

  it('a hole of no bytes is no hole (in an empty list Ceph aborts the process)', () => {
    const list = new BufferList()
    list.appendHole(0).fill(new Uint8Array(0))
    expect(list.append('ab').toString()).to.equal('ab')
  })

  it('a list may be claimed by itself, and cut into itself (Ceph says nothing of either)', () => {
    const list = new BufferList('abc')
    expect(list.claimAppend(list).toString()).to.equal('abc')
    list.splice(1, 1, list).release()
    expect(list.toString()).to.equal('aabcc')
  })

  it('an empty list shows an empty piece of memory (Ceph: a null pointer)', () => {
    expect(new BufferList().cStr().length).to.equal(0)
  })
})
