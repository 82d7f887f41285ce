/**
 * The account as monitoring systems read it: stable names, documented units, scraped over HTTP.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { Counter, Gauge, Registry } from 'prom-client'
import { BufferList, COPY_CAUSES, counters, KERNEL_CAUSES, transfer, type Metric } from 'splicelist'
import { ledger } from '#lib/audit/ledger.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { hasPages } from '../support/needs.js'
import { fileOf, freshPath } from '../transfer/places.js'

const LENGTH = 1_000_000

const metric = (name: string): Metric => {
  const found = counters.metrics().find((it) => it.name === name)
  if (found === undefined) throw new Error(`There is no metric ${name}`)
  return found
}
const value = (name: string, labels: Record<string, string> = {}): number | undefined =>
  metric(name).samples.find((sample) => JSON.stringify(sample.labels) === JSON.stringify(labels))
    ?.value

/** As the README has it: for each metric one of prom-client's, which is filled when it is scraped. */
function registered(): Registry {
  const registry = new Registry()
  for (const { name, help, type, labelNames } of counters.metrics()) {
    const collect = function (this: Counter | Gauge): void {
      this.reset()
      for (const { labels, value: now } of metric(name).samples) this.inc(labels, now)
    }
    const about = { name, help, labelNames, registers: [registry], collect }
    if (type === 'counter') new Counter(about)
    else new Gauge(about)
  }
  return registry
}

/** What Prometheus stores of a text, by series as they are written. */
function seriesIn(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const pairs = lines.map((line) => {
    const end = line.lastIndexOf(' ')
    return [line.slice(0, end), Number(line.slice(end + 1))] as const
  })
  expect(new Set(pairs.map(([name]) => name)).size, 'series told once').to.equal(pairs.length)
  return new Map(pairs)
}

async function scraped(registry: Registry): Promise<Map<string, number>> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', registry.contentType)
    void registry.metrics().then((text) => response.end(text))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  afterwards(() => server.closeAllConnections())
  afterwards(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const { port } = server.address() as AddressInfo
  const headers = { connection: 'close' }
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers })
  return seriesIn(await response.text())
}

describe('counters.metrics()', () => {
  it('names each metric by the rules: its unit, and _total where it only grows', () => {
    const names = counters.metrics().map(({ name }) => name)
    expect(new Set(names).size).to.equal(names.length)
    for (const { name, help, unit, type, samples } of counters.metrics()) {
      expect(name).to.match(/^splicelist_[a-z]+(_[a-z]+)*$/)
      expect(help, name).to.match(/^[A-Z].*\.$/)
      expect(name.endsWith('_total'), name).to.equal(type === 'counter')
      expect(/_bytes(_total)?$/.test(name), name).to.equal(unit === 'bytes')
      for (const sample of samples) expect(sample.value, name).to.be.at.least(0)
    }
  })

  it('has the names that dashboards are built on', () => {
    expect(counters.metrics().map(({ name }) => name)).to.include.members([
      'splicelist_moved_bytes_total',
      'splicelist_moves_total',
      'splicelist_teed_bytes_total',
      'splicelist_inspected_bytes_total',
      'splicelist_inspections_total',
      'splicelist_copied_bytes_total',
      'splicelist_copies_total',
      'splicelist_kernel_copied_bytes_total',
      'splicelist_unknown_bytes_total',
      'splicelist_fallbacks_total',
      'splicelist_degraded_pipes_total',
      'splicelist_leaks_total',
    ])
  })

  it('tells every figure of the snapshot', () => {
    ledger.countMoved(7)
    const { moved, moves, unknown, leaks, shortTransfers } = counters.snapshot()
    expect(value('splicelist_moved_bytes_total')).to.equal(moved)
    expect(value('splicelist_moves_total')).to.equal(moves)
    expect(value('splicelist_unknown_bytes_total')).to.equal(unknown)
    expect(value('splicelist_leaks_total')).to.equal(leaks)
    expect(value('splicelist_short_transfers_total')).to.equal(shortTransfers)
    const sum = (name: string): number =>
      metric(name).samples.reduce((total, sample) => total + sample.value, 0)
    const { accidental, intended } = counters.snapshot()
    expect(sum('splicelist_copied_bytes_total')).to.equal(accidental + intended)
  })

  it('tells copies by cause, apart for what was asked for, and every cause from the start', () => {
    const name = 'splicelist_copied_bytes_total'
    const causes = (of: string): unknown[] =>
      metric(of).samples.map(({ labels }) => labels['cause'])
    expect(causes(name)).to.include.members(Object.keys(COPY_CAUSES))
    expect(causes('splicelist_kernel_copied_bytes_total')).to.have.members(
      Object.keys(KERNEL_CAUSES),
    )
    const list = new BufferList(Buffer.from('head'), Buffer.from('payload'))
    const accidental = { cause: 'cross-segment', intended: 'false' }
    const meant = { cause: 'cross-segment', intended: 'true' }
    const before = [accidental, meant].map((labels) => value(name, labels) ?? 0)
    list.cStr()
    new BufferList(Buffer.from('a'), Buffer.from('b')).cStr(0, 2, { intended: true })
    const after = [accidental, meant].map((labels) => value(name, labels) ?? 0)
    expect(after.map((now, i) => now - (before[i] ?? 0))).to.deep.equal([11, 2])
  })

  it('tells a refusal by the call and its error', () => {
    ledger.countFallback('splice', 'ETEST')
    expect(value('splicelist_fallbacks_total', { call: 'splice', code: 'ETEST' })).to.equal(1)
  })

  it('tells every gauge of the snapshot', () => {
    const told = counters.metrics().filter(({ type }) => type === 'gauge')
    expect(told.length).to.equal(Object.keys(counters.snapshot().live).length)
  })

  it('names the labels of each metric, also of one that has no series yet', () => {
    const names = new Map(counters.metrics().map((it) => [it.name, it.labelNames]))
    expect(names.get('splicelist_moved_bytes_total')).to.deep.equal([])
    expect(names.get('splicelist_copied_bytes_total')).to.deep.equal(['cause', 'intended'])
    expect(names.get('splicelist_fallbacks_total')).to.deep.equal(['call', 'code'])
    for (const { name, labelNames, samples } of counters.metrics()) {
      for (const { labels } of samples) expect(Object.keys(labels), name).to.deep.equal(labelNames)
    }
  })

  it('is scraped from prom-client over HTTP, and tells what a transfer did', async () => {
    const registry = registered()
    const { handle } = await fileOf(bytes(1, LENGTH))
    const before = await scraped(registry)
    await transfer({ file: handle, offset: 0 }, { file: await freshPath() }, { length: LENGTH })
    new BufferList('head', 'payload').toBuffer()
    const after = await scraped(registry)
    const grown = (series: string): number => (after.get(series) ?? NaN) - (before.get(series) ?? 0)
    const sum = (name: string): number =>
      [...after.keys()].filter((it) => it.startsWith(name)).reduce((n, it) => n + grown(it), 0)
    const copied = sum('splicelist_copied_bytes_total')
    expect(grown('splicelist_moved_bytes_total') + copied).to.be.at.least(LENGTH + 11)
    if (hasPages) expect(grown('splicelist_moved_bytes_total')).to.equal(LENGTH)
    const asked = 'splicelist_copied_bytes_total{cause="to-buffer",intended="true"}'
    expect(grown(asked)).to.equal(11)
    expect(grown('splicelist_copies_total{cause="to-buffer"}')).to.equal(1)
    expect(after.get('splicelist_pipes')).to.equal(counters.snapshot().live['pipes'])
  })

  it('is told by prom-client to the last series', async () => {
    const told = await scraped(registered())
    const ours = counters.metrics().flatMap(({ samples }) => samples)
    expect(told.size).to.equal(ours.length)
  })
})
