/** The places between which bytes are moved, made ready anew for each transfer. */
import { once } from 'node:events'
import { createReadStream, existsSync, truncateSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import {
  allocPages,
  BufferList,
  lists,
  transfer,
  type Mode,
  type Sink,
  type Source,
} from 'splicelist'
import type { Errand } from './errand.js'

/** A place, and what is done with it when the transfer has been measured. */
interface Opened<T> {
  readonly end: T
  readonly close: () => void
}
type Open<T> = (errand: Errand) => Opened<T> | Promise<Opened<T>>

const SOURCES = {
  file: (errand) => lasting({ file: sourceFile(errand), offset: 0 }),
  'zero device': () => lasting({ file: '/dev/zero' }),
  tcp: (errand) => connected(errand, 'tcp', `give ${errand.bytes}\n`),
  unix: (errand) => connected(errand, 'unix', `give ${errand.bytes}\n`),
  stream: (errand) => lasting(createReadStream(sourceFile(errand), { highWaterMark: 1 << 20 })),
  memory: ({ bytes }) => listed(new BufferList(memoryOf(bytes))),
  'gifted pages': ({ bytes }) => {
    const pages = allocPages(bytes)
    pages.bytes.fill(7)
    return listed(pages.gift())
  },
} satisfies Record<string, Open<Source>>

const SINKS = {
  file: ({ folder }) => lasting({ file: join(folder, 'to'), offset: 0 }),
  'append file': ({ folder }) => {
    const file = join(folder, 'log')
    return { end: { file, flags: 'a' }, close: () => truncateSync(file) }
  },
  'null device': () => lasting({ file: '/dev/null' }),
  tcp: (errand) => connected(errand, 'tcp', 'take\n'),
  unix: (errand) => connected(errand, 'unix', 'take\n'),
  stream: () => lasting(new Writable({ write: (_chunk, _encoding, done) => done() })),
} satisfies Record<string, Open<Sink>>

/** Lists that are pulled, and released unread. */
const LISTS = 'lists'

type SourceName = keyof typeof SOURCES
type SinkName = keyof typeof SINKS | typeof LISTS

/** What is compared: where bytes may go by reference, and where they must not. */
const PAIRS: readonly (readonly [SourceName, SinkName])[] = [
  ['file', 'file'],
  ['file', 'tcp'],
  ['file', 'unix'],
  ['file', 'null device'],
  ['file', 'lists'],
  ['file', 'append file'],
  ['file', 'stream'],
  ['tcp', 'file'],
  ['tcp', 'tcp'],
  ['tcp', 'lists'],
  ['unix', 'file'],
  ['unix', 'unix'],
  ['zero device', 'file'],
  ['gifted pages', 'tcp'],
  ['gifted pages', 'file'],
  ['memory', 'tcp'],
  ['memory', 'file'],
  ['stream', 'tcp'],
]

/** What there is only with the addon. */
const NEEDS_ADDON: readonly SourceName[] = ['zero device', 'gifted pages']

/** The pairs that can be tried here. */
export function pairsHere(): typeof PAIRS {
  if (process.env['SPLICELIST_NATIVE'] !== '0') return PAIRS
  return PAIRS.filter(([source]) => !NEEDS_ADDON.includes(source))
}

export function nameOf([source, sink]: readonly [SourceName, SinkName]): string {
  return `${source} to ${sink}`
}

/** A transfer that is ready to run. */
export interface Ready {
  /** Returns the ways that the bytes went. */
  readonly run: () => Promise<readonly string[]>
  readonly close: () => void
}

/** Opens a pair of places for one transfer. */
export async function readyFor(errand: Errand, mode: Mode): Promise<Ready> {
  const pair = PAIRS.find((one) => nameOf(one) === errand.name)
  if (pair === undefined) throw new Error(`There is no pair '${errand.name}'`)
  const [from, to] = pair
  const source = await (SOURCES[from] as Open<Source>)(errand)
  if (to === LISTS) {
    return { run: () => pullAll(source.end, errand.bytes, mode), close: source.close }
  }
  const sink = await (SINKS[to] as Open<Sink>)(errand)
  return {
    run: async () => {
      const { bytesMoved, ways } = await transfer(source.end, sink.end, {
        mode,
        length: errand.bytes,
      })
      checkAll(bytesMoved, errand.bytes)
      return ways
    },
    close: () => {
      source.close()
      sink.close()
    },
  }
}

async function pullAll(source: Source, bytes: number, mode: Mode): Promise<readonly string[]> {
  let pulled = 0
  for await (const list of lists(source, { mode, hold: 'pages' })) {
    pulled += list.length
    list.release()
    // A socket that goes on has no end to wait for.
    if (pulled >= bytes) break
  }
  checkAll(pulled, bytes)
  return []
}

function checkAll(moved: number, bytes: number): void {
  if (moved !== bytes) throw new Error(`${moved} of ${bytes} bytes were moved`)
}

function sourceFile({ folder, bytes }: Errand): string {
  const path = join(folder, 'from')
  if (!existsSync(path)) writeFileSync(path, memoryOf(bytes))
  return path
}

let memory = Buffer.alloc(0)
/** Made once: to fill it would be most of a turn. */
function memoryOf(bytes: number): Buffer {
  if (memory.length !== bytes) memory = Buffer.alloc(bytes, 'truth ')
  return memory
}

function lasting<T>(end: T): Opened<T> {
  return { end, close: () => undefined }
}

function listed(end: BufferList): Opened<BufferList> {
  return { end, close: () => end.release() }
}

/** A connection of which nothing is read here before the library does. */
async function connected(
  { peer }: Errand,
  kind: 'tcp' | 'unix',
  line: string,
): Promise<Opened<Socket>> {
  const to = kind === 'tcp' ? { port: peer.port, host: '127.0.0.1' } : { path: peer.unixPath }
  const end = connect(to)
  end.pause()
  await once(end, 'connect')
  await new Promise((resolve) => end.write(line, resolve))
  return { end, close: () => end.destroy() }
}
