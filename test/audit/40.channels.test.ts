import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { PassThrough } from 'node:stream'
import { expect } from 'chai'
import {
  audit,
  BufferList,
  counters,
  transfer,
  type CopyMessage,
  type DegradeMessage,
  type LeakMessage,
  type TransferMessage,
} from 'splicelist'
import { ledger } from '#lib/audit/ledger.js'
import { afterwards } from '../support/cleanup.js'
import { bytes } from '../support/bytes.js'
import { runScript } from '../support/children.js'
import { hasAddon, hasPages, needsAddon, needsPages } from '../support/needs.js'
import { addon } from '#lib/native.js'
import { failure } from '../transfer/outcomes.js'
import { giver, taker } from '../transfer/places.js'

/** Everything that a channel tells until the test is over. */
function heard<T>(name: string, onMessage?: (message: T) => void): T[] {
  const messages: T[] = []
  const listener = (message: unknown): void => {
    messages.push(message as T)
    onMessage?.(message as T)
  }
  subscribe(name, listener)
  afterwards(() => {
    unsubscribe(name, listener)
  })
  return messages
}

describe('The channel splicelist:copy', () => {
  it('tells of each copy: cause, bytes, whether it was intended, and where', () => {
    const sites: (string | undefined)[] = []
    const messages = heard<CopyMessage>('splicelist:copy', ({ site }) => sites.push(site))
    const list = new BufferList(bytes(1, 600), bytes(2, 400))
    list.cStr()
    list.toBuffer(0, 5)
    expect(messages.map(({ cause, bytes: n, intended }) => [cause, n, intended])).to.deep.equal([
      ['cross-segment', 600, false],
      ['cross-segment', 400, false],
      ['to-buffer', 5, true],
    ])
    for (const site of sites) expect(site).to.match(/40\.channels\.test/)
    expect(messages[0]?.site, 'too late to ask').to.equal(undefined)
  })

  it('tells of small copies one by one, each of which the counters know by then', () => {
    const counted: (number | undefined)[] = []
    const messages = heard<CopyMessage>('splicelist:copy', () =>
      counted.push(counters.snapshot().copied['append-copy']),
    )
    const before = counters.snapshot().copied['append-copy'] ?? 0
    const list = new BufferList()
    for (let i = 0; i < 3; i++) list.appendCopy(bytes(1, 16)).appendUInt8(1)
    expect(messages.map(({ cause, bytes: n }) => [cause, n])).to.deep.equal(
      Array.from({ length: 3 }, () => ['append-copy', 16]),
    )
    expect(counted).to.deep.equal([before + 16, before + 32, before + 48])
  })

  it('is silent when nobody listens', () => {
    const messages: unknown[] = []
    const listener = (message: unknown): void => {
      messages.push(message)
    }
    subscribe('splicelist:copy', listener)
    unsubscribe('splicelist:copy', listener)
    new BufferList(bytes(1, 6), bytes(2, 4)).cStr()
    expect(messages).to.have.length(0)
  })

  it('tells the place of the operation, where the copy comes later, in an audit', async () => {
    const sites: (string | undefined)[] = []
    heard<CopyMessage>('splicelist:copy', ({ site }) => sites.push(site))
    const source = await (await giver('stream')).give(bytes(1, 1000))
    async function pulls(): Promise<void> {
      await new BufferList().spliceFrom(source, 1000)
    }
    await audit(pulls)
    expect(sites).to.have.length(1)
    expect(sites[0]).to.match(/^pulls /)
  })
})

describe('The channel splicelist:transfer', () => {
  it('tells of each operation when it has ended: from where, to where, how', async () => {
    const messages = heard<TransferMessage>('splicelist:transfer')
    const source = await (await giver('tcp')).give(bytes(3, 100_000))
    const to = await taker('stream')
    using list = new BufferList()
    await list.spliceFrom(source, 100_000)
    await list.spliceTo(await to.open())
    const way = hasPages ? 'splice' : hasAddon ? 'copy:copy-mode' : 'copy:no-addon'
    expect(messages[0]).to.deep.include({
      source: hasAddon ? 'tcp' : 'stream',
      sink: 'list',
      bytesMoved: 100_000,
      outcome: 'done',
    })
    expect(messages[0]?.ways).to.include(way)
    expect(messages[1]).to.include({ source: 'list', sink: 'stream', bytesMoved: 100_000 })
    expect(messages).to.have.length(2)
  })

  it('tells of one that failed, and of one that was aborted', async () => {
    const messages = heard<TransferMessage>('splicelist:transfer')
    const stream = new PassThrough()
    const sink = await (await taker('stream')).open()
    const abort = new AbortController()
    const aborted = transfer(stream, sink, { length: 20, signal: abort.signal })
    setImmediate(() => abort.abort())
    await failure(aborted)
    const failed = transfer(stream, sink, { length: 20 })
    setImmediate(() => stream.destroy(new Error('broken')))
    await failure(failed)
    expect(messages.map(({ outcome }) => outcome)).to.deep.equal(['aborted', 'failed'])
  })
})

describe('The channel splicelist:degrade', () => {
  it('tells of a pipe with fewer slots, and of calls that were refused', () => {
    const messages = heard<DegradeMessage>('splicelist:degrade')
    ledger.countDegradedPipe(256, 2)
    ledger.countFallback('splice', 'EINVAL')
    expect(messages).to.deep.equal([
      { what: 'pipe', wantedSlots: 256, slots: 2 },
      { what: 'fallback', call: 'splice', code: 'EINVAL' },
    ])
  })

  it('tells when the kernel refuses', async function () {
    needsPages(this)
    const messages = heard<DegradeMessage>('splicelist:degrade')
    afterwards(() => addon?.script(null))
    const source = await (await giver('tcp')).give(bytes(3, 100_000))
    using list = new BufferList()
    addon?.script([{ call: 'splice', errno: 22, times: 1 }])
    await list.spliceFrom(source, 100_000)
    expect(messages).to.deep.equal([{ what: 'fallback', call: 'splice', code: 'EINVAL' }])
  })
})

describe('The channel splicelist:leak', () => {
  it('tells of a segment that nobody released, once it is collected', async function () {
    needsAddon(this)
    const { stdout } = await runScript(
      `
      import { subscribe } from 'node:diagnostics_channel'
      import { setTimeout as delay } from 'node:timers/promises'
      import { BufferList } from 'splicelist'

      const messages = []
      subscribe('splicelist:leak', (message) => messages.push(message))
      const leak = async () => {
        await BufferList.fromFile(process.execPath, { length: 10 })
      }
      await leak()
      for (let i = 0; i < 200 && messages.length === 0; i++) {
        gc()
        await delay(5)
      }
      console.log(JSON.stringify(messages))
      `,
      { env: { SPLICELIST_LEAKS: 'trace' } },
    )
    const [message, ...others] = JSON.parse(stdout) as LeakMessage[]
    expect(others).to.have.length(0)
    expect(message?.kind).to.equal('file')
    expect(message?.stack).to.match(/at .*leak/)
  })
})
