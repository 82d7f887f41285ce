/**
 * Every operation between every two places, made anew for each fault, with what is to be done after
 * it failed: send what is left.
 */
import {
  attach,
  BufferList,
  transfer,
  type Mode,
  type TransferError,
  type TransferOptions,
} from 'splicelist'
import { fileOf } from '../transfer/places.js'
import { tcpPair } from '../support/socket-pairs.js'
import { attached, resent, target, type PlaceKind } from './ends.js'

/** The lists of the sweep, by what they are made of. */
export const LISTS = ['memory', 'pages', 'windows', 'extents', 'all kinds'] as const
/** One of them. */
export type ListKind = (typeof LISTS)[number]

/** Who failed. */
export type Side = 'source' | 'sink'

/** What a scene came to, when nothing is scripted any more. */
export interface Outcome {
  /** Bytes that the sink had when the operation ended, by its own count. */
  readonly accepted: number
  /** What arrived, then what was handed back, then what the source still had. */
  readonly whole: Buffer
  /** Bytes that the ledger has seen accepted, where they are not the same. */
  readonly ledgerBytes?: number
  /** Why the source gives no more, where it does not. */
  readonly sourceError?: unknown
  /** Bytes that the operation took from its source: accepted, or handed back. */
  readonly pulled?: number
}

/** What an operation of a scene may be run with. */
export type Running = Pick<TransferOptions, 'signal' | 'onProgress'>

/** One operation, ready to run. */
export interface Prepared {
  run(running?: Running): Promise<unknown>
  finish(error: unknown): Promise<Outcome>
}

/** What one operation is. */
export interface Scene {
  readonly name: string
  /** Where its bytes go, for the ledger. */
  readonly sink: PlaceKind | 'list'
  /** Whether the ledger's entries are those of one way to the sink, and can be compared with it. */
  readonly isAccounted: boolean
  /** Whether one call may move bytes from place to place, and so not say which side failed. */
  readonly mayGoDirect: boolean
  /** What its calls are cut to, where that is not what all are. */
  readonly cutBytes?: number
  /** Whether its source gives zeros without an end, whatever the content is. */
  readonly givesZeros?: boolean
  /** The side that a failure of each call names; both may make a call that is not here. */
  readonly sides: Readonly<Record<string, Side>>
  prepare(content: Buffer): Promise<Prepared>
}

async function madeList(kind: ListKind, content: Buffer): Promise<BufferList> {
  switch (kind) {
    case 'memory':
      return new BufferList(content)
    case 'pages': {
      const { client, server } = await tcpPair()
      client.write(content)
      const list = new BufferList()
      await list.spliceFrom(server, content.length, { mode: 'reference' })
      return list
    }
    case 'windows': {
      // Two of one segment, neither of which begins where its pages do.
      using pages = await madeList('pages', Buffer.concat([content.subarray(0, 4999), content]))
      const list = pages.substr(4999, content.length >> 1)
      using second = pages.substr(4999 + list.length)
      return list.claimAppend(second)
    }
    case 'extents': {
      const { handle } = await fileOf(content, 'tmpfs')
      const list = new BufferList()
      await list.spliceFrom(handle, content.length, { offset: 0 })
      return list
    }
    case 'all kinds': {
      const list = new BufferList()
      const kinds = ['memory', 'pages', 'extents', 'memory'] as const
      const share = Math.ceil(content.length / kinds.length)
      for (const [i, each] of kinds.entries()) {
        using part = await madeList(each, content.subarray(i * share, (i + 1) * share))
        list.claimAppend(part)
      }
      return list
    }
  }
}

/** Who makes calls that only one side makes. */
export const SOURCE_CALLS = { read: 'source', recv: 'source', pread: 'source' } as const
/** Who it is that cannot be opened, where only one side is. */
const OPENED_SOURCE = { fcntl_dupfd: 'source' } as const
const OPENED_SINK = { fcntl_dupfd: 'sink' } as const
/** Who has not brought to its disk what it took. */
const FLUSHED_SINK = { fsync: 'sink', fdatasync: 'sink', sync_file_range: 'sink' } as const
const SINK_CALLS = {
  write: 'sink',
  writev: 'sink',
  pwrite: 'sink',
  sendmsg: 'sink',
} as const

/** Into a list, by its own method or by the endpoint's. */
export function pulling(from: PlaceKind, face: 'spliceFrom' | 'pull' | 'peek', mode: Mode): Scene {
  return {
    name: `${from} → list, ${face}, ${mode}`,
    sink: 'list',
    isAccounted: face !== 'peek',
    mayGoDirect: false,
    ...cutOf([from]),
    givesZeros: from === '/dev/zero',
    // What was seen is read from pipes of our own.
    sides: {
      ...OPENED_SOURCE,
      ...(face === 'peek' ? {} : SOURCE_CALLS),
      splice: 'source',
    },
    prepare: async (content) => {
      const peer = await attached(from, content)
      const list = new BufferList()
      const plain = { mode, hold: 'pages' } as const
      const run = async (running: Running = {}): Promise<void> => {
        const options = { ...plain, ...running }
        if (face === 'spliceFrom') await list.spliceFrom(peer, content.length, options)
        else if (face === 'pull') list.claimAppend(await peer.pull(content.length, options))
        else {
          using seen = await peer.peek(content.length, options)
          list.claimAppend(await peer.pull(content.length, options))
          using half = list.take(list.length >> 1)
          const { length } = half
          peer.unpull(half)
          using again = await peer.pull(length, options)
          list.prepend(again)
          if (!seen.toBuffer().equals(list.toBuffer())) throw new Error('It saw something else')
        }
      }
      return {
        run,
        finish: async (error) => {
          using residual = (error as Partial<TransferError> | undefined)?.takeResidual?.()
          if (residual !== undefined) list.append(residual)
          const accepted = list.length
          let sourceError: unknown
          try {
            if (accepted < content.length) {
              await list.spliceFrom(peer, content.length - accepted, plain)
            }
          } catch (again) {
            sourceError = again
          }
          const whole = list.toBuffer()
          list.release()
          await peer.detach()
          return { accepted, whole, sourceError, pulled: accepted }
        },
      }
    },
  }
}

/** What a list is sent by. */
export interface PushOf {
  readonly consume: boolean
  readonly mode: Mode
  readonly face: 'spliceTo' | 'push'
}

/** Out of a list. */
export function pushing(kind: ListKind, to: PlaceKind, { consume, mode, face }: PushOf): Scene {
  const isMixed = kind === 'extents' || kind === 'all kinds'
  return {
    name: `${kind} → ${to}, ${face}, ${mode}${consume ? ', consumed' : ''}`,
    sink: to,
    isAccounted: true,
    mayGoDirect: isMixed && mode === 'auto' && !BY_PARCELS.has(to),
    ...cutOf([to]),
    // Pages that are to stay are read, and teed, on the source's side.
    sides: isMixed
      ? { ...OPENED_SINK, ...FLUSHED_SINK, pread: 'source', sendmsg: 'sink' }
      : {
          ...OPENED_SINK,
          ...FLUSHED_SINK,
          ...SINK_CALLS,
          ...(consume && kind === 'pages' && mode === 'auto' ? { splice: 'sink' } : {}),
        },
    prepare: async (content) => {
      const list = await madeList(kind, content)
      const there = await target(to, content.length, content)
      const peer = face === 'push' ? attach(there.sink as never) : undefined
      return {
        run: (running) =>
          peer === undefined
            ? list.spliceTo(there.sink, { consume, mode, ...running })
            : peer.push(list, { consume, mode, ...running }),
        finish: async (error) => {
          await peer?.detach()
          const part = await there.taken(content.length, error)
          const isWhole = error === undefined
          using rest = list.take(list.length)
          if (!consume) rest.consume(part.length)
          const whole = isWhole ? part : Buffer.concat([part, await resent(to, rest)])
          list.release()
          return { accepted: part.length, whole }
        },
      }
    },
  }
}

/** What is to leave the page cache, is appended or is a device: no call moves from place to place. */
const BY_PARCELS: ReadonlySet<PlaceKind> = new Set<PlaceKind>([
  'direct file',
  'aligned direct file',
  'dropped file',
  'appended file',
  '/dev/zero',
  '/dev/null',
])
/** A device takes and gives whole blocks: nothing else would ever go that way. */
const BLOCKS_BYTES = 7 * 4096
const isDirect = (kind: PlaceKind): boolean => kind.endsWith('direct file')
const cutOf = (kinds: readonly PlaceKind[]): Pick<Scene, 'cutBytes'> =>
  kinds.some(isDirect) ? { cutBytes: BLOCKS_BYTES } : {}

/** The sides of a copy. A socket that is read is used as it is: what is duplicated is the sink then. */
function sidesOfCopy(from: PlaceKind): Scene['sides'] {
  const isSocket = from === 'tcp' || from === 'unix'
  return { ...SOURCE_CALLS, ...SINK_CALLS, ...(isSocket ? OPENED_SINK : {}) }
}

/** From place to place. */
export function transferring(from: PlaceKind, to: PlaceKind, mode: Mode): Scene {
  return {
    name: `${from} → ${to}, transfer, ${mode}`,
    sink: to,
    isAccounted: true,
    mayGoDirect: mode === 'auto' && !BY_PARCELS.has(from) && !BY_PARCELS.has(to),
    ...cutOf([from, to]),
    givesZeros: from === '/dev/zero',
    sides: { ...FLUSHED_SINK, ...(mode === 'copy' ? sidesOfCopy(from) : {}) },
    prepare: async (content) => {
      const peer = await attached(from, content)
      const { length } = content
      const there = await target(to, length, content)
      return {
        run: (running) => transfer(peer, there.sink, { length, mode, ...running }),
        finish: async (error) => {
          const part = await there.taken(length, error)
          const parts = [part]
          let pulled = part.length
          let sourceError: unknown
          if (error !== undefined) {
            using residual = (error as Partial<TransferError>).takeResidual?.()
            pulled += residual?.length ?? 0
            if (residual !== undefined) parts.push(await resent(to, residual))
            const left = length - parts.reduce((sum, each) => sum + each.length, 0)
            try {
              using rest = await peer.pull(left)
              parts.push(await resent(to, rest))
            } catch (again) {
              sourceError = again
            }
          }
          await peer.detach()
          return { accepted: part.length, whole: Buffer.concat(parts), sourceError, pulled }
        },
      }
    },
  }
}
