import { expect } from 'chai'
import type { Addon } from '#lib/native.js'
import { runJob } from '#lib/reactor.js'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { fdOf, unixPair } from '../support/socket-pairs.js'
import { adopted, contentOf, door, E, fileOf, filled, pipe, script, slab } from './door.js'

const EIO = 5

/** What there is to call things on. */
async function things() {
  const { client } = await unixPair()
  return {
    addon: door(),
    fd: await fileOf(bytes(1, 100_000)),
    file: adopted(await fileOf(bytes(1, 100_000))),
    file2: adopted(await fileOf('')),
    socket: adopted(fdOf(client)),
    full: filled(bytes(2, 10_000)),
    empty: pipe(),
    pages: slab(4096),
    target: new Uint8Array(100),
  }
}
type Things = Awaited<ReturnType<typeof things>>
type Call = (things: Things) => unknown

/** Each system call of the table, and what reaches it. */
const CALLS: readonly (readonly [call: string, name: string, Call])[] = [
  ['splice', 'move', (t) => t.addon.move(t.file, 0, t.empty, -1, 10, false)],
  ['splice', 'discard', (t) => t.addon.discard(t.full, 10)],
  ['sendfile', 'move', (t) => t.addon.move(t.file, 0, t.socket, -1, 10, false)],
  ['copy_file_range', 'move', (t) => t.addon.move(t.file, 0, t.file2, 0, 10, false)],
  ['tee', 'tee', (t) => t.addon.tee(t.full, t.empty, 10)],
  ['read', 'read', (t) => t.addon.read(t.full, t.target, 0, 10)],
  ['recv', 'read', (t) => t.addon.read(t.socket, t.target, 0, 10)],
  ['writev', 'writev', (t) => t.addon.writev(t.empty, [t.target], 0, false)],
  ['sendmsg', 'writev', (t) => t.addon.writev(t.socket, [t.target], 0, false)],
  ['pipe2', 'pipe', (t) => t.addon.pipe(16)],
  ['fcntl', 'resize', (t) => t.addon.resize(t.empty, 32)],
  ['fcntl_dupfd', 'adopt', (t) => t.addon.adopt(t.fd, 'duplicate')],
  ['fstat', 'adopt', (t) => t.addon.adopt(t.fd, 'borrow')],
  ['fstatfs', 'fileSystem', (t) => t.addon.fileSystem(t.file)],
  ['fstat', 'describe', (t) => t.addon.describe(t.file)],
  ['lseek', 'seek', (t) => t.addon.seek(t.file, 0, 1)],
  ['statx', 'directAlignment', (t) => t.addon.directAlignment(t.file)],
  ['setsockopt', 'lowWater', (t) => t.addon.lowWater(t.socket, 5)],
  ['ioctl', 'pending', (t) => t.addon.pending(t.full)],
  ['epoll_ctl', 'wait', (t) => t.addon.wait(t.socket, 1, 2 ** 45)],
  ['memfd_create', 'memoryFile', (t) => t.addon.memoryFile()],
  ['socketpair', 'socketPair', (t) => t.addon.socketPair()],
  ['preadv2', 'readCached', (t) => t.addon.readCached(t.file, 0, t.target, 0, 10)],
  ['memfd_create', 'slab', (t) => t.addon.slab(4096)],
  ['mmap', 'slab', (t) => t.addon.slab(4096)],
  ['mmap', 'pages', (t) => t.addon.pages(4096)],
  ['mremap', 'renew', (t) => t.addon.renew(t.pages, 0, 4096)],
  ['vmsplice', 'vmsplice', (t) => t.addon.vmsplice(t.pages, 0, 10, t.empty)],
  ['getsockopt', 'packetBytes', (t) => t.addon.packetBytes(t.socket)],
  ['setsockopt', 'allowLending', (t) => t.addon.allowLending(t.socket)],
  ['sendmsg', 'lend', (t) => t.addon.lend(t.socket, [t.target], 0, false)],
  ['recvmsg', 'notices', (t) => t.addon.notices(t.socket)],
  ['epoll_ctl', 'watchNotices', (t) => t.addon.watchNotices(t.socket, 2 ** 45)],
]

/** Each disk job, and the system calls that it makes. */
const JOBS: readonly (readonly [
  call: string,
  name: string,
  (addon: Addon, token: number, t: Things) => number,
])[] = [
  ['pread', 'readAt', (a, token, t) => a.readAt(t.file, 5, t.target, 0, 100, token)],
  ['read', 'readAt', (a, token, t) => a.readAt(t.file, -1, t.target, 0, 100, token)],
  ['pwrite', 'writeAt', (a, token, t) => a.writeAt(t.file, 5, [t.target], 0, token)],
  ['write', 'writeAt', (a, token, t) => a.writeAt(t.file, -1, [t.target], 0, token)],
  ['fsync', 'sync', (a, token, t) => a.sync(t.file, false, token)],
  ['fdatasync', 'sync', (a, token, t) => a.sync(t.file, true, token)],
  ['sync_file_range', 'cacheRange', (a, token, t) => a.cacheRange(t.file, 0, 0, 10, token)],
  ['sync_file_range', 'cacheRange', (a, token, t) => a.cacheRange(t.file, 1, 0, 10, token)],
  ['posix_fadvise', 'cacheRange', (a, token, t) => a.cacheRange(t.file, 2, 0, 10, token)],
]

describe('The door to the addon: scripted system calls', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  for (const [call, name, use] of CALLS) {
    it(`${name} returns what ${call} fails with, and leaves nothing behind`, async () => {
      const t = await things()
      const before = t.addon.live()
      for (const errno of [EIO, 24, 1]) {
        script({ call, errno })
        expect(use(t)).to.equal(-errno)
      }
      expect(t.addon.live()).to.deep.equal(before)
    })
  }

  for (const [call, name, start] of JOBS) {
    it(`the job ${name} ends with what ${call} fails with`, async () => {
      const t = await things()
      script({ call, errno: EIO })
      const job = runJob((token) => start(t.addon, token, t))
      expect(await job.done).to.deep.equal({ bytes: 0, errno: EIO })
      expect(t.addon.live().jobs).to.equal(0)
    })

    it(`the job ${name} makes ${call} again when a signal interrupts it`, async () => {
      const t = await things()
      script({ call, errno: 4, times: 3 })
      const job = runJob((token) => start(t.addon, token, t))
      expect(await job.done).to.have.property('errno', 0)
    })
  }

  for (const [call, name, use] of CALLS.filter(([each]) =>
    [
      'splice',
      'sendfile',
      'copy_file_range',
      'tee',
      'read',
      'writev',
      'sendmsg',
      'vmsplice',
    ].includes(each),
  )) {
    it(`${name} makes ${call} again when a signal interrupts it`, async () => {
      const t = await things()
      script({ call, errno: 4, times: 5 })
      expect(use(t)).to.be.greaterThan(0)
    })
  }

  it('cuts a call to fewer bytes, which are the first', async () => {
    const t = await things()
    const content = bytes(1, 100_000)
    script({ call: 'splice', maxBytes: 33 })
    expect(t.addon.move(t.file, 50, t.empty, -1, 5000, false)).to.equal(33)
    expectSameBytes(contentOf(t.empty), content.subarray(50, 83))
    script({ call: 'tee', maxBytes: 7 })
    expect(t.addon.tee(t.full, t.empty, 500)).to.equal(7)
    expectSameBytes(contentOf(t.empty), bytes(2, 7))
    script({ call: 'writev', maxBytes: 5 })
    const parts = [Buffer.from('abc'), Buffer.from('defg')]
    expect(t.addon.writev(t.empty, parts, 1, false)).to.equal(5)
    expect(contentOf(t.empty).toString()).to.equal('bcdef')
    script({ call: 'read', maxBytes: 3 })
    expect(t.addon.read(t.full, t.target, 0, 50)).to.equal(3)
  })

  it('makes a pipe as small as it says, before anybody asks for more', async () => {
    const t = await things()
    script({ call: 'pipe2', maxBytes: 8192 }, { call: 'fcntl', errno: 1, times: 2 })
    expect(t.addon.slots(pipe(16))).to.equal(2)
    expect(t.addon.slots(pipe(256))).to.equal(16)
    expect(t.addon.slots(pipe(256))).to.equal(256)
  })

  it('drops all that was asked for, in as many calls as it takes', async () => {
    const t = await things()
    script({ call: 'splice', maxBytes: 999, times: 8 })
    expect(t.addon.discard(t.full, 9000)).to.equal(9000)
    expectSameBytes(contentOf(t.full), bytes(2, 10_000).subarray(9000))
  })

  it('says how far it came when a later call fails', async () => {
    const t = await things()
    script({ call: 'splice', maxBytes: 100, times: 2 }, { call: 'splice', errno: EIO })
    expect(t.addon.discard(t.full, 9000)).to.equal(200)
    const into = new Uint8Array(5000)
    script({ call: 'pread', maxBytes: 100, times: 2 }, { call: 'pread', errno: EIO })
    const job = runJob((token) => t.addon.readAt(t.file, 0, into, 0, 5000, token))
    expect(await job.done).to.deep.equal({ bytes: 200, errno: EIO })
    expectSameBytes(into.subarray(0, 200), bytes(1, 200))
  })

  it('lets calls pass before a rule applies, and after it is used up', async () => {
    const t = await things()
    script({ call: 'lseek', skip: 2, times: 2, errno: EIO })
    const results = Array.from({ length: 6 }, () => t.addon.seek(t.file, 0, 1))
    expect(results).to.deep.equal([0, 0, E.EIO, E.EIO, 0, 0])
  })

  it('is over with null, and is replaced by another', async () => {
    const t = await things()
    script({ call: 'lseek', errno: EIO, times: 100 })
    expect(t.addon.seek(t.file, 0, 1)).to.equal(E.EIO)
    script({ call: 'ioctl', errno: EIO, times: 100 })
    expect(t.addon.seek(t.file, 0, 1)).to.equal(0)
    t.addon.script(null)
    expect(t.addon.pending(t.full)).to.equal(10_000)
  })

  it('refuses rules that are none', () => {
    for (const wrong of [
      undefined,
      5,
      {},
      [5],
      [{ call: 'open' }],
      [{}],
      [{ call: 'tee', errno: -1 }],
      [{ call: 'tee', times: NaN }],
      [{ call: 'tee', skip: 'x' }],
    ]) {
      expect(() => door().script(wrong as never)).to.throw(TypeError)
    }
  })
})
