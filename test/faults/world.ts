/**
 * Real places with an endpoint each, one to read from and two to write to, the peers behind them, and a
 * record of what every operation on them did: enough to say afterwards whether a queue of bytes would
 * have done the same.
 */
import { setImmediate as nextRound } from 'node:timers/promises'
import type { Socket } from 'node:net'
import {
  AbortError,
  attach,
  BufferList,
  fanOut,
  FanOutAbortError,
  FanOutError,
  lists,
  transfer,
  TransferError,
  type Endpoint,
  type SinkResult,
} from 'splicelist'
import { addon, type ScriptRule } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { tcpPair, unixPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { fifoToRead, fifoToWrite } from '../transfer/fifos.js'
import { within } from '../transfer/outcomes.js'
import { ruleOf, type FaultStep } from './faults.js'
import { Deeds, type Deed } from './deeds.js'
import { sourceBytes, unpulledBytes } from './queue.js'
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
  /** Where fan-outs go as well. */
  readonly #aside: Endpoint
  readonly #writer: Socket
  readonly #readers: Readonly<Record<'to' | 'aside', Socket>>
  readonly #collector: Collector
  readonly #asideCollector: Collector
  readonly #limitsMs: { readonly end: number; readonly close: number }
  /** A broken socket stays broken; a pipe does not mind. */
  readonly #mayBreak: boolean
  readonly #deeds = new Deeds()
  readonly #running: Promise<void>[] = []
  readonly #unpulled: Buffer[] = []
  #rules: ScriptRule[] = []
  /** What was pulled and not sent yet. */
  readonly #pulled = new BufferList()
  #fedBytes = 0
  #unpulledBytes = 0
  #wantedBytes = 0

  private constructor(
    [from, writer]: readonly [Endpoint, Socket],
    [to, reader]: readonly [Endpoint, Socket],
    [aside, asideReader]: readonly [Endpoint, Socket],
    mayBreak: boolean,
    pace: keyof typeof LIMITS_MS,
  ) {
    this.#from = from
    this.#to = to
    this.#aside = aside
    this.#writer = writer
    this.#readers = { to: reader, aside: asideReader }
    this.#collector = new Collector(reader)
    this.#asideCollector = new Collector(asideReader)
    this.#mayBreak = mayBreak
    this.#limitsMs = LIMITS_MS[pace]
  }
  static async of({ from, to, aside }: Scenario, pace: keyof typeof LIMITS_MS): Promise<World> {
    const mayBreak = from === 'pipe' && to === 'pipe'
    return new World(
      await placeToRead(from),
      await placeToWrite(to),
      await placeToWrite(mayBreak ? 'pipe' : aside),
      mayBreak,
      pace,
    )
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
      case 'lists':
        this.#lists(step)
        break
      case 'fanOut':
        this.#fanOut(step)
        await nextRound()
        break
      case 'stall':
        this.#readers[step.which].pause()
        break
      case 'drain':
        this.#readers[step.which].resume()
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
    for (const reader of Object.values(this.#readers)) reader.resume()
    // Nobody waits for bytes that are not there.
    this.#feed(this.#wantedBytes)
    if ((await within(this.#limitsMs.end, Promise.all(this.#running))) === 'pending') {
      throw new Error('An operation does not end, though all that it waits for is there')
    }
    const { to, aside } = this.#deeds.accepted
    const received = await this.#arrived(this.#collector, to)
    const receivedAside = await this.#arrived(this.#asideCollector, aside)
    using rest = await this.#drained(this.#fedBytes + this.#unpulledBytes - this.#deeds.leftSource)
    await nextRound()
    if (this.#collector.length + this.#asideCollector.length > 0) {
      throw new Error('More bytes arrived than were accepted')
    }
    this.#deeds.compare({
      fed: SOURCE.subarray(0, this.#fedBytes),
      unpulled: this.#unpulled,
      received,
      receivedAside,
      rest: rest.toBuffer(),
    })
  }
  /** Gives the places back, so that the next run may have the same descriptors. */
  async close(): Promise<void> {
    this.#pulled.release()
    const closing = Promise.allSettled(
      [this.#from, this.#to, this.#aside].map((endpoint) => endpoint.detach()),
    )
    await within(this.#limitsMs.close, closing)
  }

  async #arrived(collector: Collector, accepted: number): Promise<Buffer> {
    const received = await within(this.#limitsMs.end, collector.take(accepted))
    if (received === 'pending') throw new Error('Fewer bytes arrived than the sink has accepted')
    return received
  }
  async #drained(left: number): Promise<BufferList> {
    const rest = await within(this.#limitsMs.end, this.#from.pull(left))
    if (rest === 'pending') throw new Error('Bytes are missing at the source')
    return rest
  }
  #feed(length: number): void {
    if (length === 0) return
    this.#writer.write(SOURCE.subarray(this.#fedBytes, this.#fedBytes + length))
    this.#fedBytes += length
  }
  #unpull(length: number): void {
    const at = this.#unpulledBytes % (UNPULLED.length - length)
    const given = UNPULLED.subarray(at, at + length)
    this.#unpulled.push(given)
    this.#unpulledBytes += length
    using list = new BufferList(given)
    this.#from.unpull(list)
  }
  #fault(step: FaultStep): void {
    const { call, fault } = step
    // A pipe that cannot be made is the only thing that can happen to pipe2.
    if (call === 'pipe2' && typeof fault === 'number') return
    // A tee is short only where there is no room.
    if (call === 'tee' && typeof fault === 'number') return
    if (fault === 'EIO' && call !== 'pipe2' && !this.#mayBreak) return
    this.#rules.push(ruleOf(step))
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
  /** Goes round a loop so often, unless it leaves the loop before, perhaps while a list is on its way. */
  #lists(step: Extract<Step, { kind: 'lists' }>): void {
    const { bytes: chunkBytes, atLeast, count, mode, abort, leave } = step
    this.#wantedBytes += count * chunkBytes
    let deed = this.#deeds.begin('lists')
    this.#run(deed, abort, async (signal, onProgress) => {
      const iterator = lists(this.#from, {
        chunkBytes,
        atLeast: Math.min(atLeast, chunkBytes),
        mode,
        signal,
        onProgress: (bytesMoved) => {
          onProgress(bytesMoved)
          this.#deeds.moved(deed)
        },
      })[Symbol.asyncIterator]()
      const leaving = new AbortController()
      const left = (): void => {
        leaving.abort()
        void iterator.return?.()
      }
      if (leave !== 'after') void afterTurns(leave).then(left)
      try {
        for (let i = 0; i < count; i++) {
          const { done, value } = (await iterator.next()) as IteratorResult<BufferList, undefined>
          if (done === true) {
            if (!leaving.signal.aborted) throw new Error('A loop ended before its source')
            break
          }
          using list = value
          if (list.length === 0 || list.length > chunkBytes)
            throw new Error('A list of a wrong size')
          deed.taken = this.#read(list)
          this.#pulled.append(list)
          this.#deeds.ended(deed)
          deed = this.#deeds.begin('lists')
        }
      } catch (error) {
        deed.taken = this.#residualOf(error)
      }
      await iterator.return?.()
      this.#deeds.ended(deed)
    })
  }
  #fanOut(step: Extract<Step, { kind: 'fanOut' }>): void {
    const { bytes: length, windowBytes, atLeast, onSlow, mode, abort } = step
    this.#wantedBytes += length
    this.#start('fanOut', abort, async (deed, signal, onProgress) => {
      const options = { length, windowBytes, atLeast, onSlow, mode, signal, onProgress }
      try {
        const { bytesPulled, sinks } = await fanOut(this.#from, [this.#to, this.#aside], options)
        if (bytesPulled !== length) throw new Error('A fan-out ended early, without an error')
        fanned(deed, bytesPulled, sinks)
        for (const { bytesMoved, error } of sinks) {
          if (error === undefined && bytesMoved !== length) throw new Error('A sink has got less')
        }
      } catch (error) {
        deed.taken = this.#residualOf(error)
        if (!(error instanceof FanOutError || error instanceof FanOutAbortError)) return
        fanned(deed, error.bytesMoved, error.sinks)
        if (error instanceof FanOutAbortError) return
        if (error.bytesPulled !== error.bytesMoved + deed.taken.length) {
          throw new Error('What was pulled is not what was accepted and the residual', {
            cause: error,
          })
        }
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
    const deed = this.#deeds.begin(name)
    this.#run(deed, abort, (signal, onProgress) => operation(deed, signal, onProgress))
  }
  #run(
    deed: Deed,
    abort: Abort,
    operation: (signal: AbortSignal, onProgress: (bytes: number) => void) => Promise<void>,
  ): void {
    const aborter = new AbortController()
    if (abort === 'before') aborter.abort()
    let told = 0
    const onProgress = (bytesMoved: number): void => {
      if (bytesMoved <= told) throw new Error('Progress goes back')
      told = bytesMoved
      this.#deeds.moved(deed)
    }
    const running = operation(aborter.signal, onProgress).then(() => this.#deeds.ended(deed))
    running.catch(() => undefined)
    this.#running.push(running)
    if (typeof abort === 'number') void afterTurns(abort).then(() => aborter.abort())
  }
}

async function afterTurns(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await nextRound()
}

/** What a fan-out's sinks have, and how much of it the source is rid of. */
function fanned(deed: Deed, common: number, sinks: readonly SinkResult[]): void {
  const [to, aside] = sinks.map(({ bytesMoved }) => bytesMoved) as [number, number]
  deed.accepted = to
  deed.fanned = { aside, common }
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
