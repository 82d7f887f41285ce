import { constants, mkdir, open, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { capabilities, counters, InvalidArgumentError, limits } from 'splicelist'
import { fileToPipe } from '#lib/capabilities/kernel.js'
import { attempt } from '#lib/capabilities/trial.js'
import { opened } from '#lib/reactor.js'
import { pipePool } from '#lib/raw/pipe-pool.js'
import { runScript } from '../support/children.js'
import { FILE_SYSTEMS, tempFolder, type FileSystem } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'
import { script } from '../native/door.js'
import '../raw/pipes.js'

const WAYS = ['fileToPipe', 'tee', 'vmsplice', 'fileToSocket', 'pipeToSocket', 'socketToPipe']
const MOUNT = [
  'mountFileToPipe',
  'mountPipeToFile',
  'mountDirect',
  'mountCopyFileRange',
  'mountReflink',
]
const EPERM = 1
const ENOSYS = 38

describe('capabilities', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('finds out that this kernel passes references in every way, or says what it does instead', async () => {
    const found = await capabilities()
    for (const way of WAYS) expect(found[way], way).to.be.oneOf(['reference', 'copy', 'absent'])
    // No kernel that this suite has met copies in these two.
    expect(found).to.include({ tee: 'reference', pipeToSocket: 'reference' })
  })

  it('tells the limits in force, and those of the system', async () => {
    const system = opened().limits()
    expect(await capabilities()).to.deep.include({
      ...limits.get(),
      pageBytes: system.pageBytes,
      pipeMaxBytes: system.pipeMaxBytes,
      pipeUserPagesSoft: system.userPagesSoft,
      pipeUserPagesHard: system.userPagesHard,
      openFilesMax: system.openFilesMax,
    })
  })

  it('leaves nothing open, and nothing in the ledger', async () => {
    await capabilities()
    // Idle pipes are closed by a timer of their own.
    pipePool.drain()
    const before = { live: opened().live(), counted: counters.snapshot() }
    await capabilities()
    expect({ live: opened().live(), counted: counters.snapshot() }).to.deep.equal(before)
  })

  it('tells a copy from a reference: pages read with O_DIRECT are nobody else’s', async function () {
    const path = join(await tempFolder(), 'file')
    await writeFile(path, '')
    const flags = constants.O_RDWR | constants.O_DIRECT
    await using direct = await open(path, flags).catch(() => undefined)
    if (direct === undefined) return this.skip()
    await using buffered = await open(path, 'r+')
    const verdicts = [buffered, direct].map(({ fd }) =>
      attempt((trial) => {
        const file = trial.adopt(fd)
        return fileToPipe(trial, trial.adopt(buffered.fd), file)
      }),
    )
    expect(verdicts).to.deep.equal(['reference', 'copy'])
  })

  for (const [call, ways] of Object.entries({
    splice: ['fileToPipe'],
    tee: ['tee'],
    vmsplice: ['vmsplice'],
    sendfile: ['fileToSocket'],
  })) {
    for (const errno of [EPERM, ENOSYS]) {
      it(`calls ${ways.join()} absent where ${call} is refused with ${errno}`, async () => {
        script({ call, errno, times: 100 })
        const found = await capabilities()
        for (const way of ways) expect(found[way]).to.equal('absent')
      })
    }
  }

  it('calls a way unknown where what leads to it is refused', async () => {
    script({ call: 'memfd_create', errno: EPERM, times: 100 })
    const found = await capabilities()
    expect(found).to.include({ fileToPipe: 'unknown', tee: 'unknown', vmsplice: 'unknown' })
    script({ call: 'socketpair', errno: EPERM, times: 100 })
    const later = await capabilities()
    expect(later).to.include({ fileToPipe: 'reference', fileToSocket: 'unknown' })
    script({ call: 'pipe2', errno: 24, times: 100 })
    expect(await capabilities()).to.include({ fileToPipe: 'unknown', fileToSocket: 'reference' })
  })

  it('leaves nothing open where system calls are refused', async () => {
    pipePool.drain()
    const before = opened().live()
    for (const call of [
      'splice',
      'tee',
      'vmsplice',
      'sendfile',
      'memfd_create',
      'socketpair',
      'mmap',
    ]) {
      script({ call, errno: EPERM, times: 100 })
      await capabilities()
      expect(opened().live()).to.deep.equal(before)
    }
  })

  it('knows nothing of mounts without a path', async () => {
    const found = await capabilities()
    for (const name of MOUNT) expect(found[name]).to.equal('unknown')
  })

  for (const on of Object.keys(FILE_SYSTEMS) as FileSystem[]) {
    it(`tries a mount (${on}) by files that it removes`, async () => {
      const folder = await tempFolder(on)
      const found = await capabilities(folder)
      expect(await readdir(folder)).to.deep.equal([])
      // A kernel could learn to move pages into the cache; none has.
      expect(found).to.include({ mountFileToPipe: 'reference', mountPipeToFile: 'copy' })
      expect(found.mountReflink).to.be.oneOf(['reference', 'absent'])
      expect(found.mountCopyFileRange).to.be.oneOf(['reference', 'copy'])
      expect(found.mountDirect).to.be.oneOf(['reference', 'copy', 'absent', 'unknown'])
    })

    it(`leaves no file on a mount (${on}) that refuses`, async () => {
      const folder = await tempFolder(on)
      script({ call: 'splice', errno: 22, times: 1000 })
      const found = await capabilities(folder)
      expect(found).to.include({ mountFileToPipe: 'absent', mountPipeToFile: 'unknown' })
      script({ call: 'copy_file_range', errno: 95, times: 1000 })
      expect((await capabilities(folder)).mountCopyFileRange).to.equal('absent')
      expect(await readdir(folder)).to.deep.equal([])
    })
  }

  it('finds a file system that only pretends to go past its cache', async () => {
    const folder = await tempFolder()
    // What the page cache says is what counts.
    script({ call: 'preadv2', errno: 11 })
    const { mountDirect } = await capabilities(folder)
    expect(mountDirect).to.be.oneOf(['reference', 'absent'])
    script({ call: 'preadv2', errno: 95 })
    expect((await capabilities(folder)).mountDirect).to.be.oneOf(['unknown', 'absent'])
  })

  it('tries the mount of a file that is named, and does not touch the file', async () => {
    const folder = await tempFolder()
    const path = join(folder, 'named')
    await writeFile(path, 'content')
    expect(await capabilities(path)).to.include({ mountFileToPipe: 'reference' })
    expect(await readdir(folder)).to.deep.equal(['named'])
  })

  it('says unknown of a mount that takes no file', async () => {
    expect(await capabilities('/proc')).to.include({
      mountFileToPipe: 'unknown',
      mountDirect: 'unknown',
    })
  })

  it('rejects a path that is none', async () => {
    const folder = await tempFolder()
    await mkdir(join(folder, 'there'))
    for (const wrong of [join(folder, 'not-there'), '', 5, null]) {
      let error: unknown
      await capabilities(wrong as never).catch((thrown: unknown) => (error = thrown))
      expect(error, String(wrong)).to.be.instanceOf(InvalidArgumentError)
    }
  })
})

describe('capabilities without the addon', () => {
  it('are absent, all of them', async () => {
    const { stdout } = await runScript(
      `import { capabilities } from 'splicelist'
       console.log(JSON.stringify(await capabilities('/tmp')))`,
      { env: { SPLICELIST_NATIVE: '0' } },
    )
    const found = JSON.parse(stdout) as Record<string, unknown>
    for (const name of [...WAYS, ...MOUNT]) expect(found[name], name).to.equal('absent')
    expect(found).to.include({ pipeSlots: 0, pipes: 0 })
  })
})
