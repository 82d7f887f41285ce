import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { expect } from 'chai'
import { bytes } from './bytes.js'
import { firstDifference } from './first-difference.js'
import { held, leftBehind } from './held.js'
import { tcpPair } from './socket-pairs.js'

describe('The suite itself', () => {
  it('sees a descriptor that was left open, also under a number used before', () => {
    const first = openSync('/dev/zero', 'r')
    const before = held()
    closeSync(first)
    const second = openSync('/dev/full', 'r')
    expect(second).to.equal(first)
    expect(leftBehind(before, held())).to.deep.equal([`descriptor ${second} on /dev/full`])
    closeSync(second)
    expect(leftBehind(before, held())).to.deep.equal([])
  })

  it('sees sockets that were left open', async () => {
    const before = held()
    await tcpPair()
    const left = leftBehind(before, held()).join()
    expect(left).to.match(/^descriptor \d+ on socket:\[\d+\],descriptor \d+ on socket:\[\d+\]$/)
  })

  it('sees a child that was left running', async () => {
    const before = held()
    const child = spawn('sleep', ['60'], { stdio: 'ignore' })
    expect(leftBehind(before, held())).to.include(`child process ${child.pid ?? 0}`)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(leftBehind(before, held())).to.deep.equal([])
  })

  it('finds the first byte that differs, wherever it is', () => {
    const length = 1 << 20
    const original = bytes(1, length)
    for (const at of [0, 1, 4095, 4096, 777_777, length - 1]) {
      const changed = bytes(1, length)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      expect(firstDifference(original, changed)).to.equal(at)
    }
    expect(firstDifference(original, original)).to.equal(-1)
    expect(firstDifference(original, original.subarray(0, 5))).to.equal(5)
    expect(firstDifference(original.subarray(0, 0), original)).to.equal(0)
  })

  it('makes the same bytes for the same seed, a shorter run as the beginning of a longer', () => {
    expect(bytes(7, 4097).equals(bytes(7, 5000).subarray(0, 4097))).to.equal(true)
    expect(bytes(7, 16).equals(bytes(8, 16))).to.equal(false)
  })
})
