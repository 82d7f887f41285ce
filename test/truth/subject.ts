/**
 * The program whose copies are counted from outside: runs the cases that it is given, one after the
 * other, with a mark in its system calls before and after each, and writes what it knows of them.
 */
import { once } from 'node:events'
import {
  accessSync,
  closeSync,
  constants,
  createReadStream,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import {
  allocPages,
  audit,
  BufferList,
  counters,
  transfer,
  type AuditResult,
  type CopyReport,
  type PageBuffer,
  type Sink,
  type Snapshot,
  type Source,
} from 'splicelist'
import { bytes } from '../support/bytes.js'
import {
  MARK,
  type Case,
  type Look,
  type Outcome,
  type Said,
  type SinkKind,
  type SourceKind,
} from './cases.js'
import type { Peers } from './peers.js'
import { ioOf } from './process-io.js'

/** What this program is given, as JSON, in a file whose path is its argument. */
export interface Errand {
  readonly peers: Peers
  readonly folders: { readonly disk: string; readonly tmpfs: string }
  readonly cases: readonly Case[]
  readonly results: string
}

/** A place, and what to do when the run is over. */
interface Place<T> {
  readonly place: T
  /** Waits for what comes after the run. */
  readonly settled?: () => Promise<unknown>
  readonly close: () => void
}

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants
const errand = JSON.parse(readFileSync(process.argv[2] as string, 'utf8')) as Errand
const { peers, folders } = errand
const folder = {
  disk: mkdtempSync(join(folders.disk, 'child-')),
  tmpfs: mkdtempSync(join(folders.tmpfs, 'child-')),
}

/** How each source is made. */
const SOURCES: Record<SourceKind, (length: number) => Promise<Place<Source>> | Place<Source>> = {
  'disk file': (length) => at({ file: content('disk', length), offset: 0 }),
  'tmpfs file': (length) => at({ file: content('tmpfs', length), offset: 0 }),
  'zero device': () => at({ file: '/dev/zero' }),
  tcp: (length) => socketTo('tcp', `give ${length}\n`),
  unix: (length) => socketTo('unix', `give ${length}\n`),
  fifo: async (length) => {
    const fd = openSync(peers.givingFifo, O_RDONLY | O_NONBLOCK)
    const { place, close } = await socketTo('tcp', `fifo ${length}\n`)
    // Its answer says that the writing has begun.
    await once(place.resume(), 'end')
    close()
    return { place: fd, close: () => closeSync(fd) }
  },
  stream: (length) => at(createReadStream(content('disk', length))),
  'memory list': (length) => at(new BufferList(bytes(1, length))),
  'gifted list': (length) => at(pagesOf(length).gift()),
  'lent list': (length) => {
    const { list, returned } = pagesOf(length).loan()
    // What the kernel did with it is known when it has come back.
    const settled = (): Promise<unknown> => {
      list.release()
      return returned
    }
    return { place: list, settled, close: () => list.release() }
  },
  'extent list': async (length) => at(await BufferList.fromFile(content('disk', length))),
  'page list': async (length) => {
    const list = new BufferList()
    const file = content('disk', length)
    await list.spliceFrom({ file, offset: 0 }, length, { hold: 'pages', mode: 'auto' })
    return at(list)
  },
}

function pagesOf(length: number): PageBuffer {
  const pages = allocPages(length)
  pages.bytes.fill(7)
  return pages
}

/** How each sink that is a place is made. */
const SINKS: Record<
  Exclude<SinkKind, 'list' | 'held list'>,
  () => Promise<Place<Sink>> | Place<Sink>
> = {
  'disk file': () => at({ file: join(folder.disk, 'to') }),
  'tmpfs file': () => at({ file: join(folder.tmpfs, 'to') }),
  'append file': () => at({ file: join(folder.disk, 'log'), flags: 'a' }),
  'null device': () => at({ file: '/dev/null' }),
  tcp: () => socketTo('tcp', 'take\n'),
  unix: () => socketTo('unix', 'take\n'),
  fifo: () => {
    const fd = openSync(peers.takingFifo, O_WRONLY | O_NONBLOCK)
    return { place: fd, close: () => closeSync(fd) }
  },
  stream: () => at(new Writable({ write: (_chunk, _encoding, done) => done() })),
}

/** How each look looks. */
const LOOKS: Record<Look, (list: BufferList) => unknown> = {
  cStr: (list) => list.cStr(),
  crc32c: (list) => list.crc32c(),
  cursor: (list) => list.cursor().readString(list.length, 'latin1'),
  toBuffer: (list) => list.toBuffer(),
}

function at<T>(place: T): Place<T> {
  return {
    place,
    close: () => {
      if (place instanceof BufferList) place.release()
    },
  }
}

/** The path of a file of so many bytes, which has no page in flight. */
function content(on: 'disk' | 'tmpfs', length: number): string {
  const path = join(folder[on], `from-${length}`)
  writeFileSync(path, bytes(1, length))
  return path
}

/** A connection of which nothing is read here before the library does. */
async function socketTo(kind: 'tcp' | 'unix', line: string): Promise<Place<Socket>> {
  const where = kind === 'tcp' ? { port: peers.port, host: '127.0.0.1' } : { path: peers.unixPath }
  const place = connect(where)
  place.pause()
  await once(place, 'connect')
  await new Promise((resolve) => place.write(line, resolve))
  return { place, close: () => place.destroy() }
}

/** What is observed of a run, and what is done for it before and after. */
interface Work {
  readonly run: () => Promise<Done> | Done
  readonly close?: () => void
}
type Done = Pick<Outcome, 'bytesMoved' | 'ways'>

async function run(one: Case, i: number): Promise<Outcome> {
  const from = await SOURCES[one.source](one.length)
  const isFromMemory =
    from.place instanceof BufferList &&
    from.place.explain().every(({ kind }) => kind === 'heap' || kind === 'pages')
  const { run: work, close } = await workOf(one, from.place)
  const outcome = await observed(async () => {
    const done = await work()
    await from.settled?.()
    return done
  }, i)
  close?.()
  from.close()
  return { ...outcome, isFromMemory }
}

async function workOf({ sink: to, mode, length }: Case, from: Source): Promise<Work> {
  const done = (bytesMoved: number): Done => ({ bytesMoved, ways: [] })
  if (isLook(to)) {
    return {
      run: () => {
        LOOKS[to](from as BufferList)
        return done(length)
      },
    }
  }
  if (to === 'list' || to === 'held list') {
    const into = new BufferList()
    const hold = to === 'list' ? 'extent' : 'pages'
    const pull = (): Promise<number> => into.spliceFrom(from, length, { mode, hold })
    return { run: async () => done(await pull()), close: () => into.release() }
  }
  const { place, close } = await SINKS[to]()
  return { run: () => transfer(from, place, { mode, length }), close }
}

function isLook(to: Case['sink']): to is Look {
  return to in LOOKS
}

async function observed(
  work: () => Promise<Done>,
  i: number,
): Promise<Omit<Outcome, 'isFromMemory'>> {
  const before = counters.snapshot()
  mark(`begin-${i}`)
  let audited: AuditResult<Done> | undefined
  const io = await ioOf(async () => {
    audited = await audit(work)
  })
  mark(`end-${i}`)
  if (audited === undefined) throw new Error('An audit has a result')
  return {
    ...audited.result,
    said: difference(before, counters.snapshot()),
    audited: ofReport(audited.report),
    ...io,
  }
}

/** A call that fails, and does nothing else. */
function mark(name: string): void {
  try {
    accessSync(`${MARK}/${name}`)
  } catch {
    // It is not there.
  }
}

function difference(before: Snapshot, after: Snapshot): Said {
  const bytesOf = (name: 'moved' | 'teed' | 'discarded' | 'unknown'): number =>
    after[name] - before[name]
  return {
    moved: bytesOf('moved'),
    teed: bytesOf('teed'),
    discarded: bytesOf('discarded'),
    unknown: bytesOf('unknown'),
    copied: changed(before.copied, after.copied),
    kernelCopied: changed(before.kernelCopied, after.kernelCopied),
  }
}

function changed(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  const entries = Object.entries(after).map(([key, n]) => [key, n - (before[key] ?? 0)] as const)
  return Object.fromEntries(entries.filter(([, n]) => n !== 0))
}

function ofReport({ moved, teed, discarded, unknown, copies, kernelCopies }: CopyReport): Said {
  return { moved, teed, discarded, unknown, copied: sums(copies), kernelCopied: sums(kernelCopies) }
}

function sums(
  rows: readonly { readonly cause: string; readonly bytes: number }[],
): Record<string, number> {
  const all: Record<string, number> = {}
  for (const { cause, bytes: n } of rows) all[cause] = (all[cause] ?? 0) + n
  return all
}

// Neither a paused socket nor a notice that is awaited keeps a program running.
const running = setInterval(() => undefined, 1000)
const outcomes: (Outcome | { readonly error: string })[] = []
for (const [i, one] of errand.cases.entries()) {
  try {
    outcomes.push(await run(one, i))
  } catch (error) {
    outcomes.push({ error: String(error) })
  }
}
writeFileSync(errand.results, JSON.stringify(outcomes))
rmSync(folder.disk, { recursive: true })
rmSync(folder.tmpfs, { recursive: true })
clearInterval(running)
