import { expect } from 'chai'
import { counters } from 'splicelist'
import { addon } from '#lib/native.js'
import { BLOCK_BYTES, leaseMemory } from '#lib/raw/slabs.js'
import { needsAddon } from '../support/needs.js'

const live = (name: string): number => counters.snapshot().live[name] ?? 0

describe('Memory for looks', () => {
  it('has the length that was asked for, and can be written until it is shown', () => {
    for (const length of [0, 1, 65_535, 65_536, 65_537, 1 << 20, (5 << 20) + 1]) {
      const lease = leaseMemory(length)
      expect(lease.bytes).to.have.length(length)
      lease.bytes.fill(7)
      lease.end()
    }
  })

  it('is detached at its end, twice is once', function () {
    needsAddon(this)
    const before = live('slabs')
    const lease = leaseMemory(1000)
    const { buffer } = lease.bytes
    expect(live('slabs')).to.equal(before + 1)
    lease.end()
    lease.end()
    expect(lease.bytes).to.have.length(0)
    expect(buffer.byteLength).to.equal(0)
    expect(live('slabs')).to.equal(before)
  })

  it('is used again, under a view of its own', function () {
    needsAddon(this)
    const first = leaseMemory(100)
    first.bytes.fill(1)
    first.end()
    const slabs = addon?.live().slabs
    const second = leaseMemory(BLOCK_BYTES)
    expect(addon?.live().slabs).to.equal(slabs)
    expect(first.bytes).to.have.length(0)
    second.bytes.fill(2)
    expect(first.bytes[0]).to.equal(undefined)
    second.end()
  })

  it('is two pieces for two leases', function () {
    const [a, b] = [leaseMemory(1000), leaseMemory(1000)]
    a.bytes.fill(1)
    b.bytes.fill(2)
    expect([a.bytes[999], b.bytes[0]]).to.deep.equal([1, 2])
    a.end()
    expect(b.bytes[0]).to.equal(2)
    b.end()
  })

  it('is kept for a next time only up to a bound', function () {
    needsAddon(this)
    const leases = Array.from({ length: 40 }, () => leaseMemory(1 << 20))
    for (const lease of leases) lease.end()
    expect(live('idleSlabBytes')).to.be.at.most(16 << 20)
    const before = live('idleSlabBytes')
    leaseMemory(64 << 20).end()
    expect(live('idleSlabBytes')).to.equal(before)
  })

  it('is ordinary memory where slabs cannot be made, shown or detached', function () {
    needsAddon(this)
    // Sizes that no idle slab has.
    for (const [call, errno] of [
      ['memfd_create', 38],
      ['memfd_create', 24],
      ['mmap', 12],
    ] as const) {
      const { slabs } = addon?.live() ?? { slabs: 0 }
      addon?.script([{ call, times: 2, errno }])
      const lease = leaseMemory(33 << 20)
      addon?.script(null)
      expect(lease.bytes).to.have.length(33 << 20)
      expect(addon?.live().slabs).to.equal(slabs)
      lease.end()
    }
  })
})
