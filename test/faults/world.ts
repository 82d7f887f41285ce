/**
 * Two real places with an endpoint each, the peers behind them, and a record of what every operation
 * on them did: enough to say afterwards whether a queue of bytes would have done the same.
 */
import { constants } from 'node:os'
import { setImmediate as nextRound } from 'node:timers/promises'
import type { Socket } from 'node:net'
import { AbortError, attach, BufferList, transfer, TransferError, type Endpoint } from 'splicelist'
import { addon, type ScriptRule } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { tcpPair, unixPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { fifoToRead, fifoToWrite } from '../transfer/fifos.js'
import { within } from '../transfer/outcomes.js'
import { ByteQueue, sourceBytes, unpulledBytes } from './queue.js'
import type { Abort, Scenario, Step } from './steps.js'

/** Bytes that runs are made of: more than any run needs. */
const SOURCE = sourceBytes(bytes(21, 48 << 20))
const UNPULLED = unpulledBytes(bytes(22, 1 << 20))
const MEMORY = bytes(23, 2 << 20)
/** Bounds, not measurements, in milliseconds: for what is left to do at the end, and to let go. */
const LIMITS_MS = {
  usual: { end: 6_000, close: 1_000 },
  // A failure that is being made smaller need not be told from a slow machine with care.
  shrinking: { end: 400, close: 50 },
} as const

/** What an operation did. */
interface Deed {
  readonly name: string
  /** Bytes that left the source for its result or error; a transfer's accepted ones are not here. */
  taken: Buffer
  /** Bytes that only were looked at. */
  seen: Buffer | undefined
  /** Bytes that the sink accepted. */
  accepted: number
  /** What they are; undefined for what came from the source. */
  sent: Buffer | undefined
  /** Its place in time: when its first byte moved, or when it ended. */
  time: number
}

async function placeToRead(kind: Scenario['from']): Promise<readonly [Endpoint, Socket]> {
  if (kind === 'pipe') {
    const { fd, writer } = fifoToRead()
    return [attach(fd), writer]
  }
  const { client, server } = await (kind === 'tcp' ? tcpPair() : unixPair())
  return [attach(server), client]
}

async function placeToWrite(kind: Scenario['to']): Promise<readonly [Endpoint, Socket]> {
  if (kind === 'pipe') {
    const { fd, reader } = fifoToWrite()
    return [attach(fd), reader]
  }
  const { client, server } = await (kind === 'tcp' ? tcpPair() : unixPair())
  return [attach(client), server]
}

/** One run. */
export class World {
  readonly #from: Endpoint
  readonly #to: Endpoint
  readonly #writer: Socket
  readonly #reader: Socket
  readonly #collector: Collector
  readonly #limitsMs: { readonly end: number; readonly close: number }
  /** A broken socket stays broken; a pipe does not mind. */
  readonly #mayBreak: boolean
  readonly #deeds: Deed[] = []
  readonly #running: Promise<void>[] = []
  readonly #unpulls: { readonly time: number; readonly bytes: Buffer }[] = []
  #rules: ScriptRule[] = []
  /** What was pulled and not sent yet. */
  readonly #pulled = new BufferList()
  #time = 0
  #fedBytes = 0
  #unpulledBytes = 0
  #wantedBytes = 0

  private constructor(
    [from, writer]: readonly [Endpoint, Socket],
    [to, reader]: readonly [Endpoint, Socket],
    mayBreak: boolean,
    pace: keyof typeof LIMITS_MS,
  ) {
    this.#from = from
    this.#to = to
    this.#writer = writer
    this.#reader = reader
    this.#collector = new Collector(reader)
    this.#mayBreak = mayBreak
    this.#limitsMs = LIMITS_MS[pace]
  }
  static async of({ from, to }: Scenario, pace: keyof typeof LIMITS_MS): Promise<World> {
    const mayBreak = from === 'pipe' && to === 'pipe'
    return new World(await placeToRead(from), await placeToWrite(to), mayBreak, pace)
  }

  async do(step: Step): Promise<void> {
    switch (step.kind) {
      case 'feed':
        this.#feed(step.bytes)
        break
      case 'pull':
      case 'peek':
        this.#pull(step)
        break
      case 'unpull':
        this.#unpull(step.bytes)
        break
      case 'push':
        this.#push(step)
        break
      case 'transfer':
        this.#transfer(step)
        // It takes its turns when both places are open: others must not come between.
        await nextRound()
        break
      case 'stall':
        this.#reader.pause()
        break
      case 'drain':
        this.#reader.resume()
        break
      case 'wait':
        for (let i = 0; i < step.turns; i++) await nextRound()
        break
      case 'fault':
        this.#fault(step)
    }
  }
  /** Lets everything come to its end, and compares what was done with a queue of bytes. */
  async end(): Promise<void> {
    this.#rules = []
    addon?.script(null)
    this.#reader.resume()
    // Nobody waits for bytes that are not there.
    this.#feed(this.#wantedBytes)
    if ((await within(this.#limitsMs.end, Promise.all(this.#running))) === 'pending') {
      throw new Error('An operation does not end, though all that it waits for is there')
    }
    const accepted = this.#deeds.reduce((sum, deed) => sum + deed.accepted, 0)
    const received = await within(this.#limitsMs.end, this.#collector.take(accepted))
    if (received === 'pending') throw new Error('Fewer bytes arrived than the sink has accepted')
    const left = this.#leftBytes()
    using rest = await this.#drained(left)
    await nextRound()
    if (this.#collector.length > 0) throw new Error('More bytes arrived than were accepted')
    this.#compare(received, rest.toBuffer())
  }
  /** Gives the places back, so that the next run may have the same descriptors. */
  async close(): Promise<void> {
    this.#pulled.release()
    const closing = Promise.allSettled([this.#from.detach(), this.#to.detach()])
    await within(this.#limitsMs.close, closing)
  }

  async #drained(left: number): Promise<BufferList> {
    const rest = await within(this.#limitsMs.end, this.#from.pull(left))
    if (rest === 'pending') throw new Error('Bytes are missing at the source')
    return rest
  }
  #leftBytes(): number {
    let left = this.#fedBytes + this.#unpulledBytes
    for (const { taken, accepted, sent } of this.#deeds) {
      left -= taken.length
      if (sent === undefined) left -= accepted
    }
    return left
  }
  #feed(length: number): void {
    if (length === 0) return
    this.#writer.write(SOURCE.subarray(this.#fedBytes, this.#fedBytes + length))
    this.#fedBytes += length
  }
  #unpull(length: number): void {
    const at = this.#unpulledBytes % (UNPULLED.length - length)
    const given = UNPULLED.subarray(at, at + length)
    this.#unpulls.push({ time: ++this.#time, bytes: given })
    this.#unpulledBytes += length
    using list = new BufferList(given)
    this.#from.unpull(list)
  }
  #fault({ call, fault, skip, times }: Extract<Step, { kind: 'fault' }>): void {
    // A pipe that cannot be made is the only thing that can happen to pipe2.
    if (call === 'pipe2' && typeof fault === 'number') return
    if (fault === 'EIO' && call !== 'pipe2' && !this.#mayBreak) return
    const rule = { call, skip, times }
    if (typeof fault === 'number') this.#rules.push({ ...rule, maxBytes: fault })
    else this.#rules.push({ ...rule, errno: constants.errno[fault] })
    // Rules that came before begin anew: that is as good as any.
    addon?.script(this.#rules)
  }
  /** Reads a list with no fault: what is scripted is for the machine. */
  #read(list: BufferList): Buffer {
    addon?.script(null)
    const read = list.toBuffer()
    if (this.#rules.length > 0) addon?.script(this.#rules)
    return read
  }
  #residualOf(error: unknown): Buffer {
    if (!(error instanceof TransferError || error instanceof AbortError)) throw error
    using residual = error.takeResidual()
    return residual === undefined ? Buffer.alloc(0) : this.#read(residual)
  }
  #pull({
    kind,
    bytes: length,
    atLeast,
    mode,
    abort,
  }: Extract<Step, { kind: 'pull' | 'peek' }>): void {
    this.#wantedBytes += length
    this.#start(kind, abort, async (deed, signal, onProgress) => {
      const options = { mode, signal, onProgress, atLeast: Math.min(atLeast, length) }
      try {
        using list = await this.#from[kind](length, options)
        if (list.length > length) throw new Error('A pull gave more than was asked for')
        if (kind === 'peek') deed.seen = this.#read(list)
        else {
          deed.taken = this.#read(list)
          this.#pulled.append(list)
        }
      } catch (error) {
        deed.taken = this.#residualOf(error)
      }
    })
  }
  #push({
    bytes: length,
    isPulledSent,
    consume,
    mode,
    edit,
    abort,
  }: Extract<Step, { kind: 'push' }>): void {
    const list = new BufferList(MEMORY.subarray(0, length))
    if (isPulledSent) list.claimAppend(this.#pulled)
    const whole = this.#read(list)
    this.#start('push', abort, async (deed, signal, onProgress) => {
      deed.sent = whole
      const pushing = this.#to.push(list, { mode, consume, signal, onProgress })
      const added = edited(list, { edit, consume })
      try {
        deed.accepted = await pushing
        if (deed.accepted !== whole.length) throw new Error('A push ended early, without an error')
      } catch (error) {
        if (this.#residualOf(error).length > 0) {
          throw new Error('The list has what was not sent, and so has the error', { cause: error })
        }
        deed.accepted = acceptedOf(error)
      }
      if (consume && edit !== 'release') {
        const left = Buffer.concat([whole.subarray(deed.accepted), added])
        if (!this.#read(list).equals(left)) throw new Error('The list is not what was not accepted')
      }
      list.release()
    })
  }
  #transfer({ bytes: length, mode, abort }: Extract<Step, { kind: 'transfer' }>): void {
    this.#wantedBytes += length
    this.#start('transfer', abort, async (deed, signal, onProgress) => {
      try {
        const result = await transfer(this.#from, this.#to, { length, mode, signal, onProgress })
        deed.accepted = result.bytesMoved
        if (result.bytesMoved !== length)
          throw new Error('A transfer ended early, without an error')
      } catch (error) {
        deed.taken = this.#residualOf(error)
        deed.accepted = acceptedOf(error)
      }
    })
  }
  #start(
    name: string,
    abort: Abort,
    operation: (
      deed: Deed,
      signal: AbortSignal,
      onProgress: (bytes: number) => void,
    ) => Promise<void>,
  ): void {
    const aborter = new AbortController()
    if (abort === 'before') aborter.abort()
    const deed: Deed = {
      name: `${name} ${this.#deeds.length}`,
      taken: Buffer.alloc(0),
      seen: undefined,
      accepted: 0,
      sent: undefined,
      time: 0,
    }
    this.#deeds.push(deed)
    let told = 0
    const onProgress = (bytesMoved: number): void => {
      if (bytesMoved <= told) throw new Error('Progress goes back')
      told = bytesMoved
      if (deed.time === 0) deed.time = ++this.#time
    }
    const running = operation(deed, aborter.signal, onProgress).then(() => {
      if (deed.time === 0) deed.time = ++this.#time
    })
    running.catch(() => undefined)
    this.#running.push(running)
    if (typeof abort === 'number') void abortAfter(abort, aborter)
  }
  /** Does the same with queues of bytes, in the order in which it happened. */
  #compare(received: Buffer, rest: Buffer): void {
    const deeds = [...this.#deeds].sort((a, b) => a.time - b.time)
    const queue = new ByteQueue([SOURCE.subarray(0, this.#fedBytes)])
    for (const { bytes: given } of this.#unpulls) queue.giveBack(given)
    let at = 0
    for (const { name, taken, seen, accepted, sent } of deeds) {
      const arrived = received.subarray(at, at + accepted)
      at += accepted
      if (sent === undefined) queue.take(arrived, name)
      else if (!arrived.equals(sent.subarray(0, accepted))) {
        throw new Error(`${name} sent other bytes`)
      }
      queue.take(taken, name)
      if (seen !== undefined) queue.copy().take(seen, name)
    }
    queue.take(rest, 'The rest')
    if (queue.length > 0) throw new Error(`${queue.length} bytes are left in the queue`)
  }
}

async function abortAfter(turns: number, aborter: AbortController): Promise<void> {
  for (let i = 0; i < turns; i++) await nextRound()
  aborter.abort()
}

function edited(
  list: BufferList,
  { edit, consume }: Pick<Extract<Step, { kind: 'push' }>, 'edit' | 'consume'>,
): Buffer {
  const added = Buffer.from('added in flight')
  if (edit === 'release') list.release()
  else if (edit === 'append') list.append(added)
  // One that is consumed is empty meanwhile, or, where that has ended already, whole again.
  else if (edit === 'truncate' && !consume) list.truncate(list.length >> 1)
  return edit === 'append' ? added : Buffer.alloc(0)
}

function acceptedOf(error: unknown): number {
  if (!(error instanceof TransferError || error instanceof AbortError)) throw error
  return error.bytesMoved
}
