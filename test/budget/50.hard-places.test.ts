/**
 * One program in many hard places. Wherever it runs, the same bytes arrive; what could not move by
 * reference there is counted.
 */
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { bytes } from '../support/bytes.js'
import { runChild, startChild, type ChildOptions } from '../support/children.js'
import { afterwards } from '../support/cleanup.js'
import { compiled } from '../support/compiled.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon, needsPages } from '../support/needs.js'
import { NOBODY } from '../support/nobody.js'
import type { Printed } from './programs/mover.js'

const program = fileURLToPath(new URL('programs/mover.js', import.meta.url))
const root = fileURLToPath(new URL('../../..', import.meta.url))
/** Denies system calls to the program that it becomes. */
const DENY = 'test/budget/programs/deny.c'
const SOURCE_BYTES = 3_000_000

/** Runs the program by way of `command`, in a folder that everybody may write to. */
async function run(command: readonly string[], lists: number, options: ChildOptions = {}) {
  const folder = await tempFolder('tmpfs')
  await chmod(folder, 0o777)
  await writeFile(join(folder, 'source'), bytes(1, SOURCE_BYTES), { mode: 0o644 })
  const own = [process.execPath, program, folder, String(lists)]
  const [first = process.execPath, ...rest] = [...command, ...own]
  const { code, signal, stdout, stderr } = await runChild(first, rest, options)
  if (code !== 0) throw new Error(`It ended with ${code ?? signal}: ${stderr}`)
  return { printed: JSON.parse(stdout) as Printed, stderr }
}

const expected = new Map<number, string>()
/** What the program prints of the bytes where nothing is in its way. */
async function digestOf(lists: number): Promise<string> {
  let digest = expected.get(lists)
  if (digest === undefined) {
    const { printed } = await run([], lists, { env: { SPLICELIST_NATIVE: '0' } })
    expected.set(lists, (digest = printed.digest))
  }
  return digest
}

/** Bytes that were copied for want of something, by cause. */
function copied({ counters }: Printed, cause: keyof Printed['counters']['copied']): number {
  return counters.copied[cause] ?? 0
}

const isRoot = process.getuid?.() === 0

/** Skips where an unprivileged user could not even read the library. */
async function needsNobody(test: Mocha.Context): Promise<void> {
  if (!isRoot) return test.skip()
  const script = `fs.accessSync(${JSON.stringify(program)}, fs.constants.R_OK)`
  try {
    const { code } = await runChild(process.execPath, ['-e', script], NOBODY)
    if (code === 0) return
  } catch {
    // Node itself lies where they cannot look.
  }
  test.skip()
}

describe('The same program moves the same bytes', function () {
  this.timeout(60_000)

  it('where nothing is in its way', async () => {
    const { printed, stderr } = await run([], 20)
    expect(printed.digest).to.equal(await digestOf(20))
    expect(stderr).to.equal('')
  })

  it('with a budget of nothing', async function () {
    needsPages(this)
    const env = { SPLICELIST_PIPE_SLOTS: '0' }
    const { printed } = await run([], 20, { env })
    expect(printed.digest).to.equal(await digestOf(20))
    expect(printed.limits.pipeSlots).to.equal(0)
    expect(copied(printed, 'budget')).to.be.above(20 * 262_144)
  })

  for (const [name, value] of Object.entries({
    SPLICELIST_PIPES: '3',
    SPLICELIST_PIPE_SLOTS: '300',
    SPLICELIST_PIPE_BYTES: '2000000',
    SPLICELIST_PINNED_BYTES: '1100000',
  })) {
    it(`with ${name}=${value}`, async function () {
      needsPages(this)
      const { printed } = await run([], 20, { env: { [name]: value } })
      expect(printed.digest).to.equal(await digestOf(20))
      expect(copied(printed, 'budget')).to.be.above(0)
    })
  }

  it('as a user of no rights, with 300 live lists of pages', async function () {
    needsPages(this)
    await needsNobody(this)
    const { printed, stderr } = await run([], 300, NOBODY)
    expect(stderr).to.equal('')
    expect(printed.digest).to.equal(await digestOf(300))
    const { pipeSlots } = printed.limits
    expect(printed.held['pipeSlots'])
      .to.be.at.most(pipeSlots)
      .and.above(pipeSlots / 2)
    // 300 lists of 64 pages are more than a user may have in pipes: some are copied, some shrunk.
    expect(printed.counters.shrunkPipes).to.be.above(40)
    expect(copied(printed, 'budget')).to.be.above(0)
    expect(printed.counters.degradedPipes).to.equal(0)
  })

  it('as a user whose other program has taken all pipes there are', async function () {
    needsPages(this)
    await needsNobody(this)
    const other = startChild(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { limits } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)}
         import { pipePool } from ${JSON.stringify(new URL('../../../dist/raw/pipe-pool.js', import.meta.url).href)}
         limits.set({ pipeSlots: 1e6, pipeBytes: 1e12 })
         // Held: the collector closes what nobody refers to.
         globalThis.held = Array.from({ length: 70 }, () => pipePool.borrow(1 << 20, 0, 'shared'))
         process.stdout.write('ready')
         process.stdin.resume()`,
      ],
      { ...NOBODY, stdio: ['pipe', 'pipe', 'inherit'] },
    )
    afterwards(() => void other.stdin?.destroy())
    await new Promise((resolve) => other.stdout?.once('data', resolve))
    const { printed } = await run([], 20, NOBODY)
    expect(printed.digest).to.equal(await digestOf(20))
    expect(printed.counters.degradedPipes).to.be.above(0)
  })

  it('with 64 descriptors', async function () {
    needsAddon(this)
    const { printed } = await run([], 40, { env: { MOVER_DESCRIPTORS: '64' } })
    expect(printed.digest).to.equal(await digestOf(40))
    expect(printed.limits.pipes).to.equal(16)
  })

  for (const [code, errno] of [
    ['EPERM', 1],
    ['ENOSYS', 38],
  ] as const) {
    for (const calls of [
      'splice,tee,vmsplice',
      'splice',
      'tee',
      'vmsplice',
      'sendfile',
      'splice,tee,vmsplice,sendfile,copy_file_range',
    ]) {
      it(`where ${calls} ${calls.includes(',') ? 'are' : 'is'} denied with ${code}`, async function () {
        needsAddon(this)
        const binary = await compiled(this, DENY)
        const { printed, stderr } = await run([binary, String(errno), calls], 20)
        expect(stderr).to.equal('')
        expect(printed.digest).to.equal(await digestOf(20))
        const { fallbacks, moved } = printed.counters
        if (process.env['SPLICELIST_MODE'] === 'copy') return
        if (calls.split(',').includes('splice')) {
          expect(fallbacks[`splice:${code}`]).to.be.above(0)
          expect(copied(printed, `fallback:${code}`)).to.be.above(0)
        }
        if (calls.includes('vmsplice')) expect(fallbacks[`vmsplice:${code}`]).to.be.above(0)
        if (calls.includes('copy_file_range')) expect(moved).to.equal(0)
        if (calls === 'tee') expect(copied(printed, 'no-scratch')).to.be.above(0)
      })
    }
  }
})

describe('The doctor, where system calls are denied', () => {
  it('says which, and what to do about it', async function () {
    needsAddon(this)
    const binary = await compiled(this, DENY)
    const main = join(root, 'dist/doctor/main.js')
    const args = ['1', 'tee,vmsplice', process.execPath, main, 'doctor']
    const { code, stdout } = await runChild(binary, args)
    expect(code).to.equal(1)
    expect(stdout).to.match(/pipe to pipe, again \(tee\) +not here/)
    expect(stdout).to.match(/memory to pipe \(vmsplice\) +not here/)
    expect(stdout).to.match(/The system refuses tee, vmsplice.*\n.*seccomp/)
  })
})
