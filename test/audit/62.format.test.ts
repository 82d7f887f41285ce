/**
 * Reports as people read them.
 */
import { inspect } from 'node:util'
import { expect } from 'chai'
import { audit, BufferList, COPY_CAUSES, formatReport, type CopyReport } from 'splicelist'

async function reported(): Promise<CopyReport> {
  const { report } = await audit(() => {
    const list = new BufferList(Buffer.from('head'), Buffer.from('payload'))
    list.cStr()
    list.toBuffer()
  })
  return report
}

describe('formatReport()', () => {
  it('tells of an audit what was not nothing, accidents first, each where it was asked for', async () => {
    const [first, second, ...rest] = formatReport(await reported()).split('\n')
    expect(first).to.equal('accidental  11')
    expect(second).to.equal('intended    11')
    const [, head, accident, intended] = rest
    expect(head).to.equal('copied  times  cause                    at')
    expect(accident).to.match(/^ {4}11 {6}2 {2}cross-segment {2}accident {2}.*62\.format\.test/)
    expect(intended).to.match(/^ {4}11 {6}2 {2}to-buffer {6}intended {2}.*62\.format\.test/)
  })

  it('says so where nothing was moved or copied', async () => {
    const { report } = await audit(() => undefined)
    expect(formatReport(report)).to.equal('nothing moved, nothing copied')
  })

  it('tells what a list is made of', () => {
    const list = new BufferList(Buffer.from('head')).appendZero(70_000)
    expect(formatReport(list.explain()).split('\n')).to.deep.equal([
      'kind  length  pages  refs  looked',
      'heap       4  -      -          0',
      'zero   70000  -      -          0',
    ])
    expect(formatReport(new BufferList().explain())).to.equal('')
  })

  it('tells the ways of a transfer, and why it copied', () => {
    const ways = ['splice', 'copy:append-file']
    expect(formatReport({ bytesMoved: 5, eof: true, ways }).split('\n')).to.deep.equal([
      "5 bytes moved, to the source's end",
      '  splice',
      `  copy:append-file  ${COPY_CAUSES['append-file']}`,
    ])
    expect(formatReport({ bytesMoved: 5, eof: false, ways: [] })).to.equal('5 bytes moved')
  })
})

describe('util.inspect of a report', () => {
  it('shows causes and places', async () => {
    const text = inspect(await reported())
    expect(text).to.include("cause: 'cross-segment'").and.to.include('62.format.test')
  })
})
