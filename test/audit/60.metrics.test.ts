/**
 * The account as monitoring systems read it: stable names, documented units, scraped over HTTP.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { BufferList, COPY_CAUSES, counters, KERNEL_CAUSES, type Metric } from 'splicelist'
import { ledger } from '#lib/audit/ledger.js'
import { afterwards } from '../support/cleanup.js'

const metric = (name: string): Metric => {
  const found = counters.metrics().find((it) => it.name === name)
  if (found === undefined) throw new Error(`There is no metric ${name}`)
  return found
}
const value = (name: string, labels: Record<string, string> = {}): number | undefined =>
  metric(name).samples.find((sample) => JSON.stringify(sample.labels) === JSON.stringify(labels))
    ?.value

/** The text format of Prometheus, version 0.0.4. */
function exposition(metrics: readonly Metric[]): string {
  const lines = metrics.flatMap(({ name, help, type, samples }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(({ labels, value: now }) => {
      const pairs = Object.entries(labels).map(([key, text]) => `${key}="${text}"`)
      return `${name}{${pairs.join(',')}} ${now}`
    }),
  ])
  return `${lines.join('\n')}\n`
}

/** What the text says, by name and labels as they are written; throws for what is no such text. */
function parsed(text: string): Map<string, number> {
  const series = new Map<string, number>()
  const types = new Map<string, string>()
  for (const line of text.trimEnd().split('\n')) {
    const type = /^# TYPE ([a-z_]+) (counter|gauge)$/.exec(line)
    if (type !== null) {
      expect(types.has(type[1] as string), `${line}: twice`).to.equal(false)
      types.set(type[1] as string, type[2] as string)
      continue
    }
    if (/^# HELP [a-z_]+ [^\\\n]+$/.test(line)) continue
    const sample = /^([a-z_]+)\{((?:[a-z]+="[^"\\\n]*",?)*)\} (\d+)$/.exec(line)
    if (sample === null) throw new Error(`No line of the text format: ${line}`)
    const [, name = '', labels = '', now] = sample
    expect(types.has(name), `${line}: of no type`).to.equal(true)
    expect(series.has(name + labels), `${line}: twice`).to.equal(false)
    series.set(name + labels, Number(now))
  }
  return series
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

  it('is scraped by Prometheus as it is, over HTTP', async () => {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4')
      response.end(exposition(counters.metrics()))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    afterwards(() => server.closeAllConnections())
    afterwards(() => new Promise<void>((resolve) => server.close(() => resolve())))
    const { port } = server.address() as AddressInfo
    const headers = { connection: 'close' }
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers })
    const series = parsed(await response.text())
    const { moved } = counters.snapshot()
    expect(series.get('splicelist_moved_bytes_total')).to.equal(moved)
    expect([...series.keys()]).to.include(
      'splicelist_copied_bytes_totalcause="cStr",intended="false"',
    )
  })
})
