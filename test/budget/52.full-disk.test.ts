/**
 * A file system that is really full: what was pulled was accepted or is handed back, to the byte, and
 * what is handed back can go elsewhere.
 */
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { BufferList, transfer, TransferError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { runChild } from '../support/children.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { tcpPair, unixPair } from '../support/socket-pairs.js'
import { fileOf, freshPath } from '../transfer/places.js'

const FULL_BYTES = 1 << 20
const CONTENT = bytes(1, 3_000_000)

/** A mount of 1 MiB, gone after the test; skips where nobody may mount. */
async function smallMount(test: Mocha.Context): Promise<string> {
  if (process.getuid?.() !== 0) return test.skip()
  const folder = join(await tempFolder(), 'small')
  await mkdir(folder)
  const args = ['-t', 'tmpfs', '-o', `size=${FULL_BYTES}`, 'splicelist-test', folder]
  const mounted = await runChild('mount', args).catch(() => ({ code: 127 }))
  if (mounted.code !== 0) return test.skip()
  afterwards(async () => {
    const { code, stderr } = await runChild('umount', [folder])
    if (code !== 0) throw new Error(stderr)
  })
  return folder
}

/** The error that the work ends with. */
async function failure(work: Promise<unknown>): Promise<TransferError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof TransferError)) throw new Error(`It ended with ${String(error)}`)
  expect(error).to.include({ code: 'ENOSPC', side: 'sink', errno: -28 })
  return error
}

/** Everything of `list` in a file of another mount. */
async function elsewhere(list: BufferList): Promise<Buffer> {
  const path = await freshPath()
  await list.spliceTo({ file: path })
  return readFile(path)
}

/** Lists of the content, by what they are made of. */
const LISTS: Readonly<Record<string, () => Promise<BufferList>>> = {
  'in memory': () => Promise.resolve(new BufferList(CONTENT)),
  'that is an extent': async () => BufferList.fromFile((await fileOf(CONTENT)).path),
  'in pipes': async () => {
    const list = new BufferList()
    const { path } = await fileOf(CONTENT)
    await list.spliceFrom({ file: path }, CONTENT.length, { hold: 'pages' })
    return list
  },
}

describe('A full file system', () => {
  for (const [what, make] of Object.entries(LISTS)) {
    it(`takes what it can of a list ${what}; the list still has everything`, async function () {
      const target = join(await smallMount(this), 'target')
      using list = await make()
      const { bytesMoved } = await failure(list.spliceTo({ file: target }))
      expect(bytesMoved).to.be.within(1, FULL_BYTES)
      expectSameBytes(
        (await readFile(target)).subarray(0, bytesMoved),
        CONTENT.subarray(0, bytesMoved),
      )
      using rest = list.substr(bytesMoved)
      expectSameBytes(await elsewhere(rest), CONTENT.subarray(bytesMoved))
      expectSameBytes(await elsewhere(list), CONTENT)
    })

    it(`takes what it can of a list ${what} that is consumed; the list is the rest`, async function () {
      const target = join(await smallMount(this), 'target')
      using list = await make()
      const { bytesMoved } = await failure(list.spliceTo({ file: target }, { consume: true }))
      expect(bytesMoved).to.be.within(1, FULL_BYTES)
      expect(list.length).to.equal(CONTENT.length - bytesMoved)
      expectSameBytes(await elsewhere(list), CONTENT.subarray(bytesMoved))
    })
  }

  for (const [kind, pair] of Object.entries({ tcp: tcpPair, unix: unixPair })) {
    it(`takes what it can of a ${kind} socket; the residual and what follows are the rest`, async function () {
      const target = join(await smallMount(this), 'target')
      const { client, server } = await pair()
      client.end(CONTENT)
      const error = await failure(transfer(server, { file: target }))
      using residual = error.takeResidual() ?? new BufferList()
      const { bytesMoved } = error
      expectSameBytes(
        (await readFile(target)).subarray(0, bytesMoved),
        CONTENT.subarray(0, bytesMoved),
      )
      // Elsewhere: first what was pulled, then what the socket still has.
      const path = await freshPath()
      await using sink = await open(path, 'w')
      const { length } = residual
      expect(await residual.spliceTo(sink)).to.equal(length)
      const { bytesMoved: later, eof } = await transfer(server, sink)
      expect({ sum: bytesMoved + length + later, eof }).to.deep.equal({
        sum: CONTENT.length,
        eof: true,
      })
      expectSameBytes(await readFile(path), CONTENT.subarray(bytesMoved))
    })
  }

  it('takes what it can of a file; the residual begins where it ended', async function () {
    const target = join(await smallMount(this), 'target')
    const { path } = await fileOf(CONTENT)
    const error = await failure(transfer({ file: path }, { file: target }))
    const { bytesMoved } = error
    expect(bytesMoved).to.be.within(1, FULL_BYTES)
    expectSameBytes(
      (await readFile(target)).subarray(0, bytesMoved),
      CONTENT.subarray(0, bytesMoved),
    )
    using residual = error.takeResidual() ?? new BufferList()
    expectSameBytes(residual.toBuffer(), CONTENT.subarray(bytesMoved, bytesMoved + residual.length))
  })
})
