/** A pipe is emptied into one of ours, where there is more than it holds, before its bytes are stored. */
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { transfer, type TransferError } from 'splicelist'
import { addon } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsPages } from '../support/needs.js'
import { fifoToRead } from './fifos.js'
import { failure } from './outcomes.js'
import { fileOf, freshPath } from './places.js'

const EIO = 5
const ENOSPC = 28
/** What a pipe holds by default, in bytes. */
const PIPE_BYTES = 65536

describe('A pipe into a file', () => {
  beforeEach(function () {
    needsPages(this)
    afterwards(() => addon?.script(null))
  })

  for (const [length, isThroughOurs] of [
    [PIPE_BYTES, false],
    [PIPE_BYTES + 1, true],
  ] as const) {
    it(`goes ${isThroughOurs ? 'through a pipe of ours' : 'by one call'}: ${length} bytes`, async () => {
      const content = bytes(1, length)
      const { fd, writer } = fifoToRead()
      const { path } = await fileOf(Buffer.alloc(0))
      writer.write(content)
      // The call after the first is the file's, where a pipe is between; else there is none.
      addon?.script([{ call: 'splice', skip: 1, errno: ENOSPC }])
      const moving = transfer(fd, { file: path }, { length })
      if (!isThroughOurs) {
        expect(await moving).to.include({ bytesMoved: length })
        return
      }
      const error = (await failure(moving)) as TransferError
      expect(error).to.include({ side: 'sink', code: 'ENOSPC', bytesMoved: 0 })
      error.takeResidual()?.release()
    })
  }

  it('loses nothing when the disk is full: what has left the pipe is in the error', async () => {
    const content = bytes(2, 300_000)
    const { fd, writer } = fifoToRead()
    const path = await freshPath()
    writer.write(content)
    addon?.script([
      { call: 'splice', skip: 1, maxBytes: 40_000 },
      { call: 'splice', errno: ENOSPC },
    ])
    const error = (await failure(
      transfer(fd, { file: path, flags: 'w' }, { length: content.length }),
    )) as TransferError
    expect(error).to.include({ side: 'sink', code: 'ENOSPC' })
    const stored = await readFile(path)
    expect(stored.length).to.equal(error.bytesMoved)
    using residual = error.takeResidual()
    const left = residual?.toBuffer() ?? Buffer.alloc(0)
    expect(left.length).to.be.greaterThan(0)
    const known = stored.length + left.length
    expectSameBytes(Buffer.concat([stored, left]), content.subarray(0, known))
    const rest = await freshPath()
    await transfer(fd, { file: rest, flags: 'w' }, { length: content.length - known })
    expectSameBytes(await readFile(rest), content.subarray(known))
  })

  it('gives nobody else a pipe whose content cannot be counted', async () => {
    const secret = bytes(3, PIPE_BYTES + 1)
    const { fd, writer } = fifoToRead()
    writer.write(secret)
    const before = addon?.live().pipes ?? 0
    addon?.script([
      { call: 'splice', skip: 1, errno: ENOSPC },
      { call: 'ioctl', errno: EIO, times: 1e9 },
    ])
    const sink = { file: await freshPath(), flags: 'w' }
    const error = (await failure(transfer(fd, sink, { length: secret.length }))) as TransferError
    addon?.script(null)
    expect(error).to.include({ side: 'pipe', code: 'EIO', syscall: 'ioctl', bytesMoved: 0 })
    expect(addon?.live().pipes).to.be.at.most(before)
    const next = bytes(4, PIPE_BYTES + 1)
    const other = fifoToRead()
    other.writer.write(next)
    const path = await freshPath()
    await transfer(other.fd, { file: path, flags: 'w' }, { length: next.length })
    expectSameBytes(await readFile(path), next)
  })
})
