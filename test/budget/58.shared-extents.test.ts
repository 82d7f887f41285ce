/**
 * A file system that shares extents between files: file to file nothing is copied there, neither by us
 * nor by the kernel, until one of the two is written to.
 */
import { mkdir, open, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { BufferList, transfer } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { runChild } from '../support/children.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { needsPages } from '../support/needs.js'
import { accounted } from '../transfer/account.js'

/** The least that mkfs.btrfs takes, and more. A hole, but for what is written. */
const IMAGE_BYTES = 128 << 20
const BLOCK_BYTES = 4096
/** Whole blocks: the last one of a file could not be shared into the middle of another. */
const CONTENT = bytes(1, 8 << 20)

/** Skips, and tells why in the test's title. */
function skip(test: Mocha.Context, reason: string): never {
  if (test.test !== undefined) test.test.title += ` (skipped: ${reason})`
  return test.skip()
}

/** Runs a program of the system. False where it fails, or there is none. */
async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  const { code } = await runChild(program, args).catch(() => ({ code: 127 }))
  return code === 0
}

/** A small btrfs in a file, mounted until the test is over. */
async function sharingMount(test: Mocha.Context): Promise<string> {
  if (process.getuid?.() !== 0) return skip(test, 'only root may mount')
  const base = await tempFolder()
  const [image, folder] = [join(base, 'image'), join(base, 'mount')]
  await writeFile(image, '')
  await truncate(image, IMAGE_BYTES)
  await mkdir(folder)
  if (!(await succeeds('filefrag', ['-V']))) return skip(test, 'no filefrag: e2fsprogs')
  if (!(await succeeds('mkfs.btrfs', ['-q', image])))
    return skip(test, 'no mkfs.btrfs: btrfs-progs')
  if (!(await succeeds('mount', ['-t', 'btrfs', '-o', 'loop', image, folder]))) {
    return skip(test, 'btrfs, or a loop device, cannot be mounted')
  }
  afterwards(async () => {
    const { code, stderr } = await runChild('umount', [folder])
    if (code !== 0) throw new Error(stderr)
  })
  return folder
}

/** Whether all of a file's extents are another file's, too, as FIEMAP tells. */
async function isShared(path: string): Promise<boolean> {
  const file = await open(path)
  // Extents that are not on the disk yet have no place that could be shared.
  await file.sync()
  await file.close()
  const { stdout } = await runChild('filefrag', ['-v', path])
  const extents = stdout.split('\n').filter((line) => /^ +\d+:/.test(line))
  expect(extents, stdout).to.not.have.length(0)
  return extents.every((line) => line.includes('shared'))
}

describe('Where files may share extents', () => {
  let folder: string
  let from: string
  let to: string

  beforeEach(async function () {
    needsPages(this)
    folder = await sharingMount(this)
    from = join(folder, 'from')
    to = join(folder, 'to')
    await writeFile(from, CONTENT)
  })

  const moves: Readonly<Record<string, () => Promise<unknown>>> = {
    'a transfer': () => transfer({ file: from }, { file: to }),
    'an extent of a list': async () => {
      using list = await BufferList.fromFile(from)
      await list.spliceTo({ file: to })
    },
  }
  for (const [name, move] of Object.entries(moves)) {
    it(`${name} shares them, and says that it does not know whether bytes were copied`, async () => {
      const { account } = await accounted(move)
      expect(await isShared(to)).to.equal(true)
      expectSameBytes(await readFile(to), CONTENT)
      expect(account.copied).to.deep.equal({})
      expect(account.kernelCopied).to.deep.equal({})
      expect(account).to.include({ moved: CONTENT.length, unknown: CONTENT.length })
    })
  }

  it('either file may be written to afterwards: the other keeps its bytes', async () => {
    await transfer({ file: from }, { file: to })
    await using source = await open(from, 'r+')
    await source.write(bytes(2, BLOCK_BYTES), 0, BLOCK_BYTES, 3 * BLOCK_BYTES)
    await source.sync()
    expectSameBytes(await readFile(to), CONTENT)
  })

  it('what does not lie on blocks is copied by the kernel, and arrives all the same', async () => {
    using list = await BufferList.fromFile(from)
    list.consume(1)
    const { account } = await accounted(() => list.spliceTo({ file: to }))
    expect(await isShared(to)).to.equal(false)
    expectSameBytes(await readFile(to), CONTENT.subarray(1))
    expect(account).to.include({ unknown: CONTENT.length - 1 })
  })
})
