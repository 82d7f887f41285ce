import { spawnSync } from 'node:child_process'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { BufferList, counters, NotLoadedError, ReleasedError, type SegmentRow } from 'splicelist'
import { inspectText } from '#lib/list/inspect.js'
import { pipeList, pipeRaw } from '../raw/pipes.js'
import { bytes } from '../support/bytes.js'
import { needsAddon } from '../support/needs.js'
import { cutUp, extentList, KINDS } from './kinds.js'

/** What the tool prints, or undefined where it is not installed. */
function toolDump(content: Uint8Array): string | undefined {
  const { error, stdout } = spawnSync('hexdump', ['-C'], { input: content, maxBuffer: 1 << 24 })
  return error === undefined ? stdout.toString() : undefined
}

/** Bytes with rows that repeat the one before: often, and at every kind of place. */
function repetitive(seed: number, rows: number): Buffer<ArrayBuffer> {
  const choices = bytes(seed, rows)
  return Buffer.concat(Array.from(choices, (choice) => Buffer.alloc(16, 0x5e + (choice % 3))))
}

describe('hexdump', () => {
  it('prints offset, bytes in two columns, text, and the length at the end', () => {
    const content = Buffer.from('GET /kafé HTTP/1.1\r\n\0\x1f \x7e\x7f\xff', 'latin1')
    expect(cutUp(content).hexdump()).to.equal(
      '00000000  47 45 54 20 2f 6b 61 66  e9 20 48 54 54 50 2f 31  |GET /kaf. HTTP/1|\n' +
        '00000010  2e 31 0d 0a 00 1f 20 7e  7f ff                    |.1.... ~..|\n' +
        '0000001a\n',
    )
  })

  it('prints nothing of no bytes, and a row of one', () => {
    expect(new BufferList().hexdump()).to.equal('')
    expect(new BufferList('a').hexdump()).to.equal(
      '00000000  61                                                |a|\n00000001\n',
    )
  })

  it('prints one star for full rows that repeat the one before, however many', () => {
    const row = '00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n'
    expect(new BufferList(Buffer.alloc(16)).hexdump()).to.equal(`${row}00000010\n`)
    expect(new BufferList(Buffer.alloc(32)).hexdump()).to.equal(`${row}*\n00000020\n`)
    expect(new BufferList(Buffer.alloc(160_000)).hexdump()).to.equal(`${row}*\n00027100\n`)
    expect(new BufferList(Buffer.alloc(33)).hexdump()).to.equal(
      `${row}*\n00000020  00                                                |.|\n00000021\n`,
    )
  })

  it('prints again what comes back after other rows', () => {
    const list = new BufferList('A'.repeat(48), 'B'.repeat(16), 'A'.repeat(32))
    expect(list.hexdump().replaceAll(/ {2}.*$/gm, '')).to.equal(
      '00000000\n*\n00000030\n00000040\n*\n00000060\n',
    )
  })

  it('prints what the tool prints, whatever the length', function () {
    if (toolDump(Buffer.of(1)) === undefined) this.skip()
    for (const length of [0, 1, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 47, 48, 49, 64, 65]) {
      for (const content of [bytes(82, length), Buffer.alloc(length), Buffer.alloc(length, 'ab')]) {
        expect(cutUp(content).hexdump(), `${length} bytes`).to.equal(toolDump(content))
      }
    }
  })

  for (const kind of KINDS) {
    it(`prints what the tool prints of ${kind.name}`, async function () {
      kind.check(this)
      if (toolDump(Buffer.of(1)) === undefined) this.skip()
      for (const content of [bytes(83, 70_003), repetitive(84, 5000)]) {
        const list = await kind.make(content)
        expect(list.hexdump() === toolDump(content)).to.equal(true)
      }
    })
  }

  it('joins nothing, and looks at every held block once', function () {
    needsAddon(this)
    const list = pipeList(bytes(85, 200_000))
    list.append(bytes(86, 100))
    const before = counters.snapshot()
    list.hexdump()
    const { inspected, copied, live } = counters.snapshot()
    expect(inspected - before.inspected).to.equal(200_000)
    expect(copied['cross-segment']).to.equal(before.copied['cross-segment'])
    expect(live['slabs']).to.equal(before.live['slabs'])
  })

  it('throws for bytes that are not in memory, and for a released list', async () => {
    const list = await extentList(bytes(87, 10))
    expect(() => list.hexdump()).to.throw(NotLoadedError)
    list.release()
    expect(() => list.hexdump()).to.throw(ReleasedError)
  })
})

describe('A list in a log line', () => {
  it('shows its bytes by kind, and who else holds them', function () {
    needsAddon(this)
    using list = new BufferList(Buffer.alloc(28))
    list.adoptRaw(pipeRaw(bytes(88, 1024), 'loan'))
    using other = list.substr(100, 10)
    expect(other.length).to.equal(10)
    expect(inspect(list)).to.equal('BufferList(1052 bytes: heap 28, pipe 1024 [loan, 2 refs])')
  })

  it('says what there is to say of an empty, a tiny and a released list', () => {
    const list = new BufferList()
    expect(inspect(list)).to.equal('BufferList(0 bytes)')
    expect(inspect(list.append('a'))).to.equal('BufferList(1 byte: heap 1)')
    expect(inspect({ list })).to.equal('{ list: BufferList(1 byte: heap 1) }')
    list.release()
    expect(inspect(list)).to.equal('BufferList(released)')
  })

  it('reads nothing, neither held pages nor a file', async function () {
    needsAddon(this)
    using list = new BufferList(await extentList(bytes(89, 5000)))
    list.adoptRaw(pipeRaw(bytes(90, 5000)))
    const before = counters.snapshot()
    const text = inspect(list)
    const after = counters.snapshot()
    expect(text).to.match(
      /^BufferList\(10000 bytes: file 5000 \[.*\], pipe 5000 \[foreign, 1 ref\]\)$/,
    )
    expect(after.inspected).to.equal(before.inspected)
    expect(after.copied).to.deep.equal(before.copied)
  })

  const heap: SegmentRow = { kind: 'heap', length: 10, pages: null, refs: null, looked: 0 }
  const pipe: SegmentRow = { kind: 'pipe', length: 100, pages: 'foreign', refs: 1, looked: 7 }

  it('counts segments side by side that are alike, and tells others apart', () => {
    expect(inspectText([heap, heap, pipe, pipe, heap])).to.equal(
      'BufferList(230 bytes: heap 20 in 2 segments, pipe 200 in 2 segments [foreign, 1 ref], heap 10)',
    )
    const owned: SegmentRow = { ...pipe, pages: 'owned' }
    expect(
      inspectText([pipe, owned, { ...owned, refs: 2 }, { ...owned, kind: 'file', refs: 2 }]),
    ).to.equal(
      'BufferList(400 bytes: pipe 100 [foreign, 1 ref], pipe 100 [owned, 1 ref], ' +
        'pipe 100 [owned, 2 refs], file 100 [owned, 2 refs])',
    )
  })

  it('is one line, however many kinds take turns', () => {
    const eight = Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? heap : pipe))
    expect(inspectText(eight)).to.match(/pipe 100 \[foreign, 1 ref\]\)$/)
    const text = inspectText([...eight, ...eight, heap])
    expect(text).to.match(
      /^BufferList\(890 bytes: heap 10, .*, pipe 100 \[foreign, 1 ref\], … 9 more\)$/,
    )
    expect(text.match(/heap|pipe/g)).to.have.length(8)
  })
})
