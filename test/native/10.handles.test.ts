import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Socket } from 'node:net'
import { expect } from 'chai'
import type { Addon } from '#lib/native.js'
import { runScript } from '../support/children.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'
import { fdOf, tcpPair, unixPair } from '../support/socket-pairs.js'
import { fdinfo } from './fdinfo.js'
import { adopted, door, E, fileOf, pipe, slab } from './door.js'

/** An opaque object of Node's own. */
const alienOf = (socket: Socket): unknown =>
  (socket as unknown as { _handle: { _externalStream: unknown } })._handle._externalStream
const isOpen = (fd: number): boolean => {
  try {
    fstatSync(fd)
    return true
  } catch {
    return false
  }
}

/** Every call, with arguments that do for this one object. */
const CALLS: Readonly<Record<string, (addon: Addon, it: never) => unknown>> = {
  describe: (addon, it) => addon.describe(it),
  seek: (addon, it) => addon.seek(it, 0, 1),
  lowWater: (addon, it) => addon.lowWater(it, 1),
  pending: (addon, it) => addon.pending(it),
  slots: (addon, it) => addon.slots(it),
  resize: (addon, it) => addon.resize(it, 16),
  move: (addon, it) => addon.move(it, -1, it, -1, 1, false),
  tee: (addon, it) => addon.tee(it, it, 1),
  discard: (addon, it) => addon.discard(it, 1),
  read: (addon, it) => addon.read(it, new Uint8Array(1), 0, 1),
  writev: (addon, it) => addon.writev(it, [new Uint8Array(1)], 0, false),
  wait: (addon, it) => addon.wait(it, 1, 2 ** 40),
  readAt: (addon, it) => addon.readAt(it, 0, new Uint8Array(1), 0, 1, 2 ** 40),
  writeAt: (addon, it) => addon.writeAt(it, 0, [new Uint8Array(1)], 0, 2 ** 40),
  sync: (addon, it) => addon.sync(it, true, 2 ** 40),
  view: (addon, it) => addon.view(it, 1),
  vmsplice: (addon, it) => addon.vmsplice(it, 0, 1, it),
  renew: (addon, it) => addon.renew(it, 0, 1),
  lendAt: (addon, it) => addon.lendAt(it, 0, new Uint8Array(1), 0, 1, 2 ** 40),
  lend: (addon, it) => addon.lend(it, [new Uint8Array(1)], 0, false),
  allowLending: (addon, it) => addon.allowLending(it),
  notices: (addon, it) => addon.notices(it),
  watchNotices: (addon, it) => addon.watchNotices(it, 2 ** 40),
}

describe('The door to the addon: handles', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('borrow uses the number that it was given, and leaves it open', async () => {
    const fd = await fileOf('abc')
    const before = door().live().descriptors
    const descriptor = door().adopt(fd, 'borrow')
    expect(door().live().descriptors).to.equal(before + 1)
    if (typeof descriptor !== 'number') door().drop(descriptor)
    expect(isOpen(fd)).to.equal(true)
    expect(door().live().descriptors).to.equal(before)
  })

  it('duplicate has a number of its own, which lives until it is dropped', async () => {
    const path = join(await tempFolder(), 'file')
    const fd = openSync(path, 'w+')
    const descriptor = adopted(fd, 'duplicate')
    closeSync(fd)
    expect(door().writev(descriptor, [Buffer.from('abc')], 0, false)).to.equal(3)
    door().drop(descriptor)
    door().drop(descriptor)
    expect(door().writev(descriptor, [Buffer.from('abc')], 0, false)).to.equal(E.EBADF)
    expect(readFileSync(path, 'latin1')).to.equal('abc')
  })

  it('leaves nothing of its own to children', async () => {
    const fd = await fileOf('abc')
    const before = new Set(fdinfo().map((row) => row.fd))
    adopted(fd, 'duplicate')
    pipe()
    const made = fdinfo().filter(
      ({ fd: number, target }) => !before.has(number) && /^pipe:|\/file$/.test(target),
    )
    expect(made).to.have.length(3)
    const O_CLOEXEC = 0o2000000
    for (const { target, flags } of made) expect(flags & O_CLOEXEC, target).to.equal(O_CLOEXEC)
  })

  it('describe tells what a descriptor is', async () => {
    const folder = await tempFolder()
    mkdirSync(join(folder, 'folder'))
    const file = door().describe(adopted(await fileOf('abcde')))
    expect(file).to.include({ type: 0o100000, sizeBytes: 5, family: 0, socketType: 0 })
    const append = door().describe(adopted(await fileOf('', 'a')))
    expect(append)
      .to.have.property('flags')
      .that.satisfies((flags: number) => flags & 0o2000)
    const { client } = await tcpPair()
    const tcp = door().describe(adopted(fdOf(client)))
    expect(tcp).to.include({ type: 0o140000, family: 2, socketType: 1 })
    const { server } = await unixPair()
    expect(door().describe(adopted(fdOf(server)))).to.include({ family: 1, socketType: 1 })
  })

  it('refuses numbers that are open on nothing', () => {
    for (const ownership of ['borrow', 'duplicate'] as const) {
      expect(door().adopt(-1, ownership)).to.equal(E.EBADF)
      expect(door().adopt(1_000_000, ownership)).to.equal(E.EBADF)
    }
  })

  it('says EBADF for what was dropped, at every call', async () => {
    const objects = [adopted(await fileOf('abc')), pipe(), slab(4096)]
    for (const object of objects) {
      door().drop(object)
      for (const [name, call] of Object.entries(CALLS)) {
        expect(call(door(), object as never), name).to.equal(E.EBADF)
      }
      expect(door().hasRoom(object as never)).to.equal(false)
      door().unwait(object as never)
      door().detach(object as never)
    }
    expect(door().live().jobs).to.equal(0)
  })

  it('throws for what is no handle, and for a handle of another kind', async () => {
    const file = adopted(await fileOf('abc'))
    const [aPipe, aSlab] = [pipe(), slab(4096)]
    const alien = alienOf((await tcpPair()).client)
    for (const wrong of [undefined, null, 5, 'fd', {}, [], new Uint8Array(8), aSlab, alien]) {
      for (const [name, call] of Object.entries(CALLS)) {
        if (wrong === aSlab && (name === 'view' || name === 'renew')) continue
        expect(() => call(door(), wrong as never), name).to.throw(TypeError, ' must be ')
      }
    }
    for (const call of [
      'slots',
      'resize',
      'tee',
      'discard',
      'view',
      'renew',
      'vmsplice',
    ] as const) {
      expect(() => CALLS[call]?.(door(), file as never), call).to.throw(TypeError)
    }
    for (const call of [
      'describe',
      'seek',
      'wait',
      'readAt',
      'sync',
      'view',
      'lend',
      'notices',
    ] as const) {
      expect(() => CALLS[call]?.(door(), aPipe as never), call).to.throw(TypeError)
    }
  })

  it('throws for arguments of the wrong type or size, whatever they are', () => {
    const aPipe = pipe()
    const addon = door() as unknown as Record<string, (...args: unknown[]) => unknown>
    const junk = [undefined, null, -2, 0.5, NaN, 2 ** 53, 'x', {}, [], [5], new Uint16Array(2), 1n]
    for (const name of Object.keys(CALLS)) {
      for (const wrong of junk) {
        for (let position = 0; position < 6; position++) {
          const args: unknown[] = [aPipe, wrong, wrong, wrong, wrong, wrong]
          args[position] = wrong
          try {
            const result = addon[name]?.(...args)
            expect(result, name).to.satisfy((it: unknown) => typeof it !== 'undefined')
          } catch (error) {
            expect(error, name).to.satisfy(
              (it: unknown) => it instanceof TypeError || it instanceof RangeError,
            )
          }
        }
      }
    }
    expect(door().live().jobs).to.equal(0)
  })

  it('throws for an array whose elements cannot be read', () => {
    const [aPipe, target] = [pipe(), new Float64Array(8)]
    const unreadable = Object.defineProperty([1], 0, {
      get: () => {
        throw new Error('not this one')
      },
    }) as never
    const calls: readonly (() => unknown)[] = [
      () => door().writev(aPipe, unreadable, 0, false),
      () => door().writeEach(unreadable, [], false, target),
      () => door().share(aPipe, [aPipe], unreadable, [1], 1, target),
      () => door().pump(unreadable, 0, aPipe as never, 0, [1], 2 ** 40),
      () => door().pump([aPipe], 0, [aPipe], 0, unreadable, 2 ** 40),
    ]
    for (const call of calls) expect(call).to.throw(TypeError, ' must be ')
  })

  it('refuses windows that reach beyond their memory, and memory that is gone', () => {
    const aPipe = pipe()
    const target = new Uint8Array(10)
    expect(() => door().read(aPipe, target, 5, 6)).to.throw(RangeError)
    expect(() => door().read(aPipe, target, 11, 0)).to.throw(RangeError)
    expect(() => door().read(aPipe, target, 2 ** 52, 2 ** 52)).to.throw(RangeError)
    structuredClone(target, { transfer: [target.buffer] })
    expect(() => door().read(aPipe, target, 0, 0)).to.throw(TypeError, 'given away')
    expect(() => door().writev(aPipe, [target], 0, false)).to.throw(TypeError)
    expect(() => door().crc32c(target, 0)).to.throw(TypeError)
  })

  it('gives back what the collector finds', async () => {
    const { stdout } = await runScript(`
      import { setTimeout as delay } from 'node:timers/promises'
      import { addon } from '#lib/native.js'
      import { opened } from '#lib/reactor.js'
      opened()
      const forget = () => {
        for (let i = 0; i < 10; i++) opened().pipe(16)
        opened().adopt(0, 'duplicate')
        const slab = opened().slab(65536)
        globalThis.view = opened().view(slab, 65536)
      }
      forget()
      for (let i = 0; i < 50 && addon.live().pipes > 0; i++) {
        gc()
        await delay(2)
      }
      // A view that is still held keeps its memory.
      new Uint8Array(view).fill(1)
      console.log(JSON.stringify(addon.live()))
    `)
    expect(JSON.parse(stdout)).to.include({ pipes: 0, descriptors: 0, slabs: 0 })
  })

  it('ends everything by close(), once and for all, and can be opened again', async () => {
    const { stdout, code } = await runScript(`
      import { readdirSync } from 'node:fs'
      import { addon } from '#lib/native.js'
      const { close, ...others } = addon
      const before = readdirSync('/proc/self/fd').length
      const events = new Float64Array(64)
      const told = []
      for (const waker of ['loop', 'thread', 'loop']) {
        addon.open(() => undefined, events, waker)
        let again = ''
        try { addon.open(() => undefined, events, waker) } catch (error) { again = error.message }
        const pipe = addon.pipe(16)
        const file = addon.adopt(0, 'duplicate')
        const slab = addon.slab(65536)
        const view = addon.view(slab, 65536)
        addon.discard(pipe, 0)
        addon.close()
        addon.close()
        told.push({
          again,
          view: view.byteLength,
          live: addon.live(),
          later: [addon.pipe(16), addon.adopt(0, 'borrow'), addon.slab(1), addon.slots(pipe)],
        })
      }
      await new Promise((resolve) => setImmediate(resolve))
      await new Promise((resolve) => setImmediate(resolve))
      told.push(readdirSync('/proc/self/fd').length - before)
      console.log(JSON.stringify(told))
    `)
    expect(code).to.equal(0)
    const told = JSON.parse(stdout) as unknown[]
    for (const each of told.slice(0, 3)) {
      expect(each).to.deep.include({
        view: 0,
        live: { pipes: 0, descriptors: 0, slabs: 0, jobs: 0, orphans: 0, waits: 0 },
        later: [E.EBADF, E.EBADF, E.EBADF, E.EBADF],
      })
      expect((each as { again: string }).again).to.match(/cannot open/)
    }
    // Node's own loop may have opened what it keeps.
    expect(told[3]).to.be.at.most(2)
  })
})
