/**
 * One transfer that never waits, for its source always has bytes and its sink takes them at once, leaves
 * the event loop to others after each megabyte.
 */
import { Readable, Writable } from 'node:stream'
import { expect } from 'chai'
import { BufferList, transfer, type TransferOptions } from 'splicelist'

const MIB = 1 << 20
const TOTAL_BYTES = 64 * MIB

/** A stream that has taken what it is given when the call returns: it holds nobody up. */
function taker(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}

/** A stream that has the next chunk whenever it is asked. */
function giver(chunkBytes: number): Readable {
  const chunk = Buffer.alloc(chunkBytes)
  let given = 0
  return new Readable({
    read() {
      this.push(given < TOTAL_BYTES ? chunk : null)
      given += chunkBytes
    },
  })
}

/** Memory in parts of so many bytes. */
function partsOf(partBytes: number): BufferList {
  const part = Buffer.alloc(partBytes)
  const list = new BufferList()
  while (list.length < TOTAL_BYTES) list.append(part)
  return list
}

/** The most bytes that were moved between two turns of others, while all were. */
async function mostBetweenTurns(
  move: (options: TransferOptions) => Promise<unknown>,
): Promise<number> {
  let movedBytes = 0
  let seenBytes = 0
  let mostBytes = 0
  const look = (): void => {
    mostBytes = Math.max(mostBytes, movedBytes - seenBytes)
    seenBytes = movedBytes
  }
  let isOver = false
  const turn = (): void => {
    look()
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  await move({ onProgress: (bytes) => (movedBytes = bytes) })
  isOver = true
  look()
  expect(movedBytes).to.be.at.least(TOTAL_BYTES)
  return mostBytes
}

describe('A transfer that never waits leaves others a turn each megabyte', () => {
  for (const partBytes of [MIB, 300_000, 2000]) {
    it(`from a list in parts of ${partBytes} bytes`, async () => {
      const move = (options: TransferOptions) => transfer(partsOf(partBytes), taker(), options)
      expect(await mostBetweenTurns(move)).to.be.at.most(2 * MIB)
    })

    it(`that is sent and kept, in parts of ${partBytes} bytes`, async () => {
      using list = partsOf(partBytes)
      const move = (options: TransferOptions) => list.spliceTo(taker(), options)
      expect(await mostBetweenTurns(move)).to.be.at.most(2 * MIB)
    })

    it(`from a stream of chunks of ${partBytes} bytes`, async () => {
      const move = (options: TransferOptions) => transfer(giver(partBytes), taker(), options)
      expect(await mostBetweenTurns(move)).to.be.at.most(2 * MIB)
    })
  }
})
