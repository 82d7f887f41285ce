import { execFileSync } from 'node:child_process'
import { constants, readFileSync, truncateSync } from 'node:fs'
import { open, readFile, stat, symlink, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  attach,
  BufferList,
  fanOut,
  FanOutError,
  InvalidArgumentError,
  lists,
  transfer,
  TransferError,
} from 'splicelist'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'
import { failure, refusal } from '../transfer/outcomes.js'
import { fileOf, freshPath, opened } from '../transfer/places.js'
import { slowDisk } from '../transfer/slow-disk.js'

const MIB = 1 << 20
const CACHES = ['keep', 'drop', 'direct'] as const

for (const cache of CACHES) {
  describe(`A file with cache: '${cache}'`, () => {
    for (const mode of ['auto', 'copy'] as const) {
      it(`that becomes shorter while it is read is an error, not an end (mode ${mode})`, async () => {
        const { path } = await fileOf(bytes(1, 24 * MIB))
        const to = await freshPath()
        slowDisk(64)
        let isCut = false
        const onProgress = (): void => {
          if (!isCut) truncateSync(path, 4096)
          isCut = true
        }
        const moving = transfer({ file: path, cache }, { file: to }, { mode, onProgress })
        const error = await failure(moving)
        expect(error).to.be.instanceOf(TransferError)
        expect(error).to.include({ side: 'source', code: 'ENODATA' })
        const { bytesMoved } = error as TransferError
        expect((await readFile(to)).length).to.equal(bytesMoved)
        ;(error as TransferError).takeResidual()?.release()
      })
    }

    for (const source of ['path', 'handle', 'offset'] as const) {
      for (const options of [
        {},
        { hold: 'pages' },
        { mode: 'copy' },
        { mode: 'stable' },
      ] as const) {
        const what = `${JSON.stringify(options)}, ${source}`
        it(`that becomes shorter between two lists is an error, not an end (${what})`, async function () {
          // Nothing tells where a handle stands.
          if (source === 'handle') needsAddon(this)
          const { path, handle } = await fileOf(bytes(1, 5 * MIB))
          const file = { path, handle, offset: handle }[source]
          const place = { file, cache, ...(source === 'offset' ? { offset: 4097 } : {}) }
          let got = 0
          const looping = (async () => {
            for await (using list of lists(place, options)) {
              got += list.length
              truncateSync(path, 4096)
            }
          })()
          const error = await failure(looping)
          expect(error).to.be.instanceOf(TransferError)
          expect(error).to.include({ side: 'source', code: 'ENODATA', bytesMoved: 0 })
          expect((error as TransferError).takeResidual()).to.equal(undefined)
          expect(got).to.equal(MIB)
        })
      }
    }

    for (const hold of ['extent', 'pages'] as const) {
      it(`hands out what was left of it for a list that was not complete (${hold})`, async () => {
        const { path } = await fileOf(bytes(1, 5 * MIB))
        const got: number[] = []
        const looping = (async () => {
          for await (using list of lists({ file: path, cache }, { hold, atLeast: MIB })) {
            got.push(list.length)
            truncateSync(path, 2 * MIB + 5000)
          }
        })()
        const error = (await failure(looping)) as TransferError
        expect(error).to.be.instanceOf(TransferError)
        expect(error).to.include({ side: 'source', code: 'ENODATA', bytesMoved: 5000 })
        using residual = error.takeResidual()
        await residual?.load()
        expectSameBytes(
          residual?.toBuffer() ?? Buffer.alloc(0),
          bytes(1, 5 * MIB).subarray(2 * MIB, 2 * MIB + 5000),
        )
        expect(got).to.deep.equal([MIB, MIB])
      })
    }

    for (const mode of ['auto', 'copy', 'stable'] as const) {
      it(`that becomes shorter while it is fanned out is an error, not an end (mode ${mode})`, async () => {
        const { path } = await fileOf(bytes(1, 5 * MIB))
        const paths = [await freshPath(), await freshPath()]
        const error = await failure(
          fanOut(
            { file: path, cache },
            paths.map((file) => ({ file })),
            { mode, windowBytes: MIB, onProgress: () => truncateSync(path, 4096) },
          ),
        )
        expect(error).to.be.instanceOf(FanOutError)
        expect(error).to.include({ side: 'source', code: 'ENODATA' })
        const { bytesMoved, bytesPulled, sinks } = error as FanOutError
        expect(bytesMoved).to.equal(bytesPulled)
        expect(bytesMoved).to.be.lessThan(5 * MIB)
        expect(sinks).to.deep.equal([{ bytesMoved }, { bytesMoved }])
        expect((error as FanOutError).takeResidual()).to.equal(undefined)
        for (const to of paths) expect((await readFile(to)).length).to.equal(bytesMoved)
      })
    }

    it('that becomes shorter behind what was read is no error: its end was read', async () => {
      const { path } = await fileOf(bytes(1, 2 * MIB))
      let got = 0
      for await (using list of lists({ file: path, cache })) {
        got += list.length
        if (got === 2 * MIB) truncateSync(path, 4096)
      }
      expect(got).to.equal(2 * MIB)
    })

    it('that becomes shorter between two operations of an endpoint has ended', async function () {
      needsAddon(this)
      const { path } = await fileOf(bytes(1, 3 * MIB))
      await using file = attach({ file: path, cache })
      for await (using list of lists(file)) {
        expect(list.length).to.equal(MIB)
        break
      }
      truncateSync(path, 4096)
      for (const hold of ['extent', 'pages'] as const) {
        for await (using list of lists(file, { hold })) expect(list.length).to.equal(0)
        using pulled = await file.pull(MIB, { hold })
        expect(pulled.length).to.equal(0)
      }
    })

    it('that grows between two lists is read to where it ends then', async () => {
      for (const hold of ['extent', 'pages'] as const) {
        const { path, handle } = await fileOf(bytes(1, 2 * MIB))
        let got = 0
        let isGrown = false
        for await (using list of lists({ file: path, cache }, { hold })) {
          got += list.length
          if (!isGrown) await handle.write(bytes(2, 10_000), 0, 10_000, 2 * MIB)
          isGrown = true
        }
        expect(got).to.equal(2 * MIB + 10_000)
      }
    })

    it('that grows while it is read is read to where it ends then', async () => {
      const { path, handle } = await fileOf(bytes(1, 2 * MIB))
      const to = await freshPath()
      let isGrown: Promise<unknown> | undefined
      const onProgress = (): void => {
        isGrown ??= handle.write(bytes(2, 10_000), 0, 10_000, 2 * MIB)
      }
      await transfer({ file: path, cache }, { file: to }, { onProgress })
      await isGrown
      const read = await readFile(to)
      expect(read.length).to.be.within(2 * MIB, 2 * MIB + 10_000)
      expectSameBytes(read.subarray(0, 2 * MIB), bytes(1, 2 * MIB))
    })

    it('is read from beyond its end: nothing, and no error', async () => {
      const { path } = await fileOf(bytes(1, 10_000))
      for (const offset of [10_000, 10_001, 2 ** 40]) {
        using list = new BufferList()
        const place = { file: path, offset, cache }
        expect(await list.spliceFrom(place, 100_000, { hold: 'pages' })).to.equal(0)
        const result = await transfer(place, { file: await freshPath() })
        expect(result).to.include({ bytesMoved: 0, eof: true })
      }
    })

    it('is written beyond its end: a hole lies between', async () => {
      const { path } = await fileOf(bytes(1, 5000))
      await new BufferList(bytes(2, 70_000)).spliceTo({ file: path, offset: 3 * MIB + 1, cache })
      const content = await readFile(path)
      expect(content.length).to.equal(3 * MIB + 1 + 70_000)
      expectSameBytes(content.subarray(0, 5000), bytes(1, 5000))
      expect(content.subarray(5000, 3 * MIB + 1).every((byte) => byte === 0)).to.equal(true)
      expectSameBytes(content.subarray(3 * MIB + 1), bytes(2, 70_000))
    })

    it('is read with its holes, between and at the end', async () => {
      const { path, handle } = await fileOf(new Uint8Array(0))
      await handle.write(bytes(1, 10_000), 0, 10_000, 2 * MIB + 5)
      await truncate(path, 4 * MIB + 3)
      const to = await freshPath()
      await transfer({ file: path, cache }, { file: to, cache })
      expectSameBytes(await readFile(to), await readFile(path))
    })

    it('that is empty stays empty, and truncates what it is written over', async () => {
      const { path } = await fileOf(new Uint8Array(0))
      const { path: to } = await fileOf(bytes(1, 100))
      await transfer({ file: path, cache }, { file: to, cache })
      expect((await readFile(to)).length).to.equal(0)
    })

    it('is appended to, by copies', async () => {
      const { path } = await fileOf(bytes(1, 5000))
      using list = new BufferList(bytes(2, 100_001))
      await list.spliceTo({ file: path, flags: 'a', cache })
      await list.spliceTo({ file: path, flags: 'a+', cache, flush: 'data' })
      const expected = [bytes(1, 5000), bytes(2, 100_001), bytes(2, 100_001)]
      expectSameBytes(await readFile(path), Buffer.concat(expected))
    })

    it('is appended to by a handle, whose flags stay as they are', async function () {
      needsAddon(this)
      const { path, handle } = await fileOf(bytes(1, 5000), 'disk', 'a')
      await new BufferList(bytes(2, 100_001)).spliceTo({ file: handle, cache })
      expectSameBytes(await readFile(path), Buffer.concat([bytes(1, 5000), bytes(2, 100_001)]))
      const info = await readFile(`/proc/self/fdinfo/${handle.fd}`, 'utf8')
      const flags = Number.parseInt(/flags:\s+([0-7]+)/.exec(info)?.[1] ?? '', 8)
      expect(flags & constants.O_APPEND).to.not.equal(0)
    })

    it('is brought to the disk when that is asked for', async () => {
      for (const flush of ['none', 'data', 'full'] as const) {
        const path = await freshPath()
        await new BufferList(bytes(3, 50_001)).spliceTo({ file: path, cache, flush })
        expectSameBytes(await readFile(path), bytes(3, 50_001))
      }
    })

    it('may be a link, but no folder', async () => {
      const folder = await tempFolder()
      await symlink((await fileOf(bytes(1, 9))).path, join(folder, 'link'))
      using list = new BufferList()
      expect(await list.spliceFrom({ file: join(folder, 'link'), cache }, 10)).to.equal(9)
      const error = await refusal(() => list.spliceFrom({ file: folder, cache }, 10))
      expect(error).to.be.instanceOf(InvalidArgumentError)
    })
  })
}

describe('A file that is made up when it is read', () => {
  // Of /proc, which state no size, and of /sys, which state that of a page or their own.
  for (const path of ['/proc/version', '/sys/class/net/lo/mtu', '/sys/kernel/notes']) {
    const content = contentOf(path)
    const itReads = content.length > 0 ? it : it.skip

    itReads(`is read to its end, whatever size it states: ${path}`, async () => {
      for (const hold of ['extent', 'pages'] as const) {
        for (const mode of ['auto', 'copy', 'stable'] as const) {
          using list = new BufferList()
          expect(await list.spliceFrom({ file: path }, MIB, { hold, mode })).to.equal(
            content.length,
          )
          await list.load()
          expectSameBytes(list.toBuffer(), content)
        }
      }
    })

    itReads(`comes as one list, of a handle too: ${path}`, async () => {
      for (const source of [{ file: path }, await opened(path, 'r')]) {
        const parts: Buffer[] = []
        for await (using list of lists(source)) {
          await list.load()
          parts.push(list.toBuffer())
        }
        expectSameBytes(Buffer.concat(parts), content)
      }
    })

    itReads(`goes as a whole to a file, and to several: ${path}`, async () => {
      const paths = [await freshPath(), await freshPath(), await freshPath()] as const
      expect(await transfer({ file: path }, { file: paths[0] })).to.include({ eof: true })
      await fanOut({ file: path }, [{ file: paths[1] }, { file: paths[2] }])
      for (const to of paths) expectSameBytes(await readFile(to), content)
    })

    itReads(`is no list of an extent: ${path}`, async () => {
      for (const range of [{}, { length: 1 }]) {
        const error = await refusal(() => BufferList.fromFile(path, range))
        expect(error).to.be.instanceOf(InvalidArgumentError)
        expect(error.message).to.match(/spliceFrom/)
      }
    })
  }

  it('is told from one that is a hole from end to end, of which there is an extent', async () => {
    const { path } = await fileOf(new Uint8Array(0))
    await truncate(path, 3 * MIB)
    expect((await stat(path)).blocks).to.equal(0)
    using list = new BufferList()
    expect(await list.spliceFrom({ file: path }, 4 * MIB)).to.equal(3 * MIB)
    expect(list.explain().map(({ kind }) => kind)).to.deep.equal(['file'])
  })
})

/** Nothing where there is no such file, or nobody may read it. */
function contentOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch {
    return Buffer.alloc(0)
  }
}

describe('A disk', () => {
  /** A disk over a file of 8 MiB, for whoever may make one. */
  async function disk(test: Mocha.Context): Promise<{ path: string; file: string }> {
    const { path: file } = await fileOf(bytes(1, 8 * MIB))
    try {
      const path = execFileSync('losetup', ['--find', '--show', file], { stdio: 'pipe' })
        .toString()
        .trim()
      afterwards(() => void execFileSync('losetup', ['--detach', path]))
      return { path, file }
    } catch {
      return test.skip()
    }
  }

  for (const cache of CACHES) {
    it(`is read and written at offsets, with cache: '${cache}'`, async function () {
      const { path } = await disk(this)
      using list = new BufferList()
      await list.spliceFrom({ file: path, offset: 5000, cache }, 2 * MIB, { hold: 'pages' })
      expectSameBytes(list.toBuffer(), bytes(1, 8 * MIB).subarray(5000, 5000 + 2 * MIB))
      await list.spliceTo({ file: path, offset: 4 * MIB, cache, flush: 'full' })
      using again = new BufferList()
      await again.spliceFrom({ file: path, offset: 4 * MIB }, 2 * MIB)
      expectSameBytes(again.toBuffer(), list.toBuffer())
      const { bytesMoved } = await transfer({ file: path, cache }, { file: '/dev/null' })
      expect(bytesMoved).to.equal(8 * MIB)
    })
  }

  it('has a position by its handle', async function () {
    const { path } = await disk(this)
    const handle = await open(path, 'r')
    afterwards(() => handle.close())
    using list = new BufferList()
    await list.spliceFrom(handle, 100_000)
    await list.spliceFrom(handle, 100_000)
    expectSameBytes(list.toBuffer(), bytes(1, 8 * MIB).subarray(0, 200_000))
  })
})
