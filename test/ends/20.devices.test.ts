import { openSync, closeSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import tty from 'node:tty'
import { expect } from 'chai'
import { attach, BufferList, transfer, TransferError, UnsupportedEndpointError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { runChild, runScript } from '../support/children.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasAddon, hasPages, needsPages } from '../support/needs.js'
import { accounted } from '../transfer/account.js'
import { failure, refusal } from '../transfer/outcomes.js'
import { fileOf, freshPath } from '../transfer/places.js'

const MIB = 1 << 20

/** The ways to name a device. */
const NAMES = ['path', 'handle', 'number'] as const

async function named(path: string, name: (typeof NAMES)[number], flags: string) {
  if (name === 'path') return { file: path }
  if (name === 'handle') {
    const handle = await open(path, flags)
    afterwards(() => handle.close())
    return handle
  }
  const fd = openSync(path, flags)
  afterwards(() => closeSync(fd))
  return fd
}

for (const name of NAMES) {
  describe(`A device by its ${name}`, () => {
    it('/dev/zero gives zeros, as many as asked, which the kernel has copied', async () => {
      const to = await freshPath()
      const zero = await named('/dev/zero', name, 'r')
      const { result, account } = await accounted(() =>
        transfer(zero, { file: to }, { length: 3 * MIB + 5 }),
      )
      expect(result.bytesMoved).to.equal(3 * MIB + 5)
      expectSameBytes(await readFile(to), Buffer.alloc(3 * MIB + 5))
      if (hasPages) expect(account.kernelCopied).to.have.property('device-read', 3 * MIB + 5)
    })

    it('/dev/zero gives pages that are ours alone', async function () {
      needsPages(this)
      using list = new BufferList()
      await list.spliceFrom(await named('/dev/zero', name, 'r'), 100_000)
      expect(list.isZero()).to.equal(true)
      expect(list.explain()[0]).to.include({ kind: 'pipe', pages: 'owned' })
    })

    it('/dev/null takes everything, pages by reference, and nobody copies them', async () => {
      const { path } = await fileOf(bytes(1, 3 * MIB))
      const sink = await named('/dev/null', name, 'w')
      const { result, account } = await accounted(() => transfer({ file: path }, sink))
      expect(result.bytesMoved).to.equal(3 * MIB)
      if (hasPages) {
        expect(result.ways).to.deep.equal(['splice'])
        expect(account).to.include({ moved: 3 * MIB })
      }
      expect(account.kernelCopied).to.deep.equal({})
    })

    it('/dev/null has ended before it began', async () => {
      using list = new BufferList()
      expect(await list.spliceFrom(await named('/dev/null', name, 'r'), 100_000)).to.equal(0)
    })

    it('/dev/full takes nothing, and says so', async () => {
      const full = await named('/dev/full', name, 'w')
      using list = new BufferList(bytes(1, 100_000))
      const error = await failure(list.spliceTo(full, { consume: true }))
      expect(error).to.be.instanceOf(TransferError)
      expect(error).to.include({ side: 'sink', code: 'ENOSPC', bytesMoved: 0 })
      expect(list.length).to.equal(100_000)
    })

    it('/dev/urandom gives bytes, and takes none from here', async () => {
      using list = new BufferList()
      expect(await list.spliceFrom(await named('/dev/urandom', name, 'r'), 50_000)).to.equal(50_000)
      expect(list.isZero()).to.equal(false)
      const sink = await named('/dev/urandom', name, 'w')
      const error = await refusal(() => new BufferList('x').spliceTo(sink))
      expect(error).to.be.instanceOf(UnsupportedEndpointError)
    })
  })
}

describe('A terminal', () => {
  it('by path or number is refused, with what to do instead: it would hold a thread', async () => {
    // Whoever opens it has a new terminal of its own, and no controlling one is needed.
    const fd = openSync('/dev/ptmx', 'r+')
    afterwards(() => closeSync(fd))
    expect(tty.isatty(fd)).to.equal(true)
    const uses = [
      () => new BufferList().spliceFrom(fd, 10),
      () => new BufferList('x').spliceTo(fd),
      () => new BufferList().spliceFrom({ file: '/dev/ptmx' }, 10),
      () => transfer({ file: '/dev/ptmx' }, { file: '/dev/null' }),
      () => attach(fd),
    ]
    for (const use of uses) {
      const error = await refusal(use)
      expect(error).to.be.instanceOf(UnsupportedEndpointError)
      expect((error as UnsupportedEndpointError).remedy).to.match(/stream/)
    }
  })

  it('as the standard streams is read from and written to, by counted copies', async function () {
    const { code: hasScript } = await runChild('script', ['--version']).catch(() => ({ code: 1 }))
    if (hasScript !== 0) return this.skip()
    const program = `
      const { BufferList, counters } = await import('#lib/index.js')
      const list = new BufferList()
      await list.spliceFrom(process.stdin, 6)
      await new BufferList('<').spliceTo(process.stdout)
      await list.spliceTo(process.stdout)
      await new BufferList('>').spliceTo(process.stdout)
      const { copied } = counters.snapshot()
      console.log(JSON.stringify([process.stdin.isTTY, process.stdout.isTTY, copied]))
      process.stdin.destroy()
    `
    const { stdout } = await runScript(`
      import { spawn } from 'node:child_process'
      const command = [process.execPath, '--input-type=module', '--eval', ${JSON.stringify(program)}]
      const quoted = command.map((word) => "'" + word.replaceAll("'", "'\\\\''") + "'").join(' ')
      const child = spawn('script', ['--quiet', '--return', '--command', quoted, '/dev/null'])
      child.stdin.write('hello\\n')
      child.stdout.pipe(process.stdout)
      child.once('exit', () => child.stdin.destroy())
    `)
    expect(stdout).to.match(/<hello\r\n>/)
    const told = JSON.parse(/\[.*\}\]/.exec(stdout)?.[0] ?? '[]') as [
      boolean,
      boolean,
      Record<string, number>,
    ]
    expect(told.slice(0, 2)).to.deep.equal([true, true])
    // Six bytes in; a bracket, six bytes and a bracket out.
    const cause = hasAddon && !hasPages ? 'copy-mode' : 'stream'
    expect(told[2]).to.have.property(cause)
  })
})
