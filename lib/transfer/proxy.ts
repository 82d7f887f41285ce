import { beginOperation } from '../audit/observers.js'
import { listenForAbort } from '../abort.js'
import type { ProxyResult, TransferOptions } from '../contract.js'
import { InvalidArgumentError, ProxyAbortError, ProxyError, TransferError } from '../errors.js'
import { sameFailure } from '../endpoints/own-failure.js'
import { checkOptions } from './checks.js'
import { asTransferError } from './failure.js'
import { hearing } from './hearing.js'
import { ProxyDirection, ProxySide, type ProxyPeer } from './proxy-side.js'
import { inAllTurns } from './turn-order.js'

/**
 * Moves bytes both ways between two sockets at once, until both have ended: what a proxy does once it
 * knows where to connect.
 *
 * An end of one side (FIN) ends writing on the other, after everything before it was accepted, and
 * the other direction goes on: half-close, whatever `allowHalfOpen` says. When both have ended Node
 * closes the sockets as usual. An error of one direction stops the other at once and rejects with a
 * `ProxyError`: the socket that failed is destroyed as Node would have done, the other is left as it
 * is, and what was pulled and not accepted, of either direction, is in the error. An abort gives that
 * back to where it came from. Idle timeouts are the sockets' own (`socket.setTimeout`): bytes that
 * move put them off.
 *
 * Endpoints stay attached. TLS sockets and other duplex streams work, by counted copy. `onProgress` is
 * told the bytes of both directions. Throws `InvalidArgumentError` for one socket as both sides.
 *
 * ```ts
 * import net from 'node:net'
 * import { proxy } from 'splicelist'
 * const server = net.createServer({ pauseOnConnect: true }, async (client) => {
 *   const upstream = net.connect(9000)
 *   try {
 *     await proxy(client, upstream)
 *   } catch {
 *     client.destroy()
 *     upstream.destroy()
 *   }
 * })
 * ```
 */
export function proxy(
  a: ProxyPeer,
  b: ProxyPeer,
  options: TransferOptions = {},
): Promise<ProxyResult> {
  return beginOperation(() => hearing([a, b], () => proxyPlaces(a, b, options)))
}

async function proxyPlaces(
  a: ProxyPeer,
  b: ProxyPeer,
  options: TransferOptions,
): Promise<ProxyResult> {
  checkOptions(options)
  const left = await openSide(a, 'aToB', options.signal)
  let hasEnded = false
  try {
    const right = await openSide(b, 'bToA', options.signal)
    try {
      if (left.socket === right.socket) throw sameSides()
      const both = new BothDirections(left, right, options)
      const result = await both.run()
      hasEnded = true
      return result
    } finally {
      right.close(hasEnded)
    }
  } finally {
    left.close(hasEnded)
  }
}

/** A socket that fails before the first byte is the source of the direction away from it. */
async function openSide(
  peer: ProxyPeer,
  direction: keyof ProxyResult,
  signal: AbortSignal | undefined,
): Promise<ProxySide> {
  try {
    return await ProxySide.open(peer, signal)
  } catch (error) {
    if (!(error instanceof TransferError)) throw error
    const nothing = { bytesMoved: 0, eof: false, ways: [] }
    const failure = { ...sameFailure(error), bytesMoved: 0 }
    throw new ProxyError(failure, direction, { aToB: nothing, bToA: nothing }, NO_RESIDUALS)
  }
}

const NO_RESIDUALS = { aToB: undefined, bToA: undefined }

/** Two directions that run by themselves, and stop together. */
class BothDirections {
  readonly #options: TransferOptions
  readonly #left: ProxySide
  readonly #right: ProxySide
  readonly #aToB: ProxyDirection
  readonly #bToA: ProxyDirection
  readonly #stop = new AbortController()
  #failure: { readonly error: TransferError; readonly direction: keyof ProxyResult } | undefined
  /** What aborted it: a signal's reason, or what a callback threw. */
  #abort: { readonly reason: unknown } | undefined

  constructor(left: ProxySide, right: ProxySide, options: TransferOptions) {
    this.#left = left
    this.#right = right
    this.#options = options
    const mayGiveBack = (): boolean => this.#failure === undefined
    const { onProgress, ...others } = options
    const heard = onProgress && { onProgress: () => this.#onProgress() }
    const ours = { ...others, ...heard, signal: this.#stop.signal }
    this.#aToB = new ProxyDirection(left, right, ours, mayGiveBack)
    this.#bToA = new ProxyDirection(right, left, ours, mayGiveBack)
  }
  async run(): Promise<ProxyResult> {
    const { signal } = this.#options
    const unlisten = signal && listenForAbort(signal, () => this.#abortFor(signal.reason))
    const aborted = await Promise.all([
      this.#move(this.#aToB, 'aToB', this.#left, this.#right),
      this.#move(this.#bToA, 'bToA', this.#right, this.#left),
    ])
    unlisten?.()
    const result = { aToB: this.#aToB.result, bToA: this.#bToA.result }
    if (this.#failure !== undefined) throw this.#failed(this.#failure, result)
    if (aborted.includes(true)) throw new ProxyAbortError(this.#abort?.reason, result)
    return result
  }

  /** Moves one direction to its end, which ends writing at `to`. Returns whether it was aborted. */
  async #move(
    direction: ProxyDirection,
    name: keyof ProxyResult,
    from: ProxySide,
    to: ProxySide,
  ): Promise<boolean> {
    const error = await this.#runInTurn(direction, from, to)
    if (error === undefined) {
      to.endWriting()
      return false
    }
    // One that fails while it is being stopped has lost a socket, and has bytes that nobody else has.
    const isFailure = error instanceof TransferError && this.#failure === undefined
    if (isFailure || !this.#stop.signal.aborted) this.#end(direction, name, error)
    return true
  }
  /** Each direction has turns of its own: what ends writing at `to` waits for its turn there. */
  async #runInTurn(
    direction: ProxyDirection,
    from: ProxySide,
    to: ProxySide,
  ): Promise<Error | undefined> {
    const turns = [from.source.readTurns, to.sink.writeTurns]
    try {
      return await inAllTurns(turns, this.#stop.signal, () => direction.run())
    } catch (error) {
      return error as Error
    }
  }
  /** The first failure ends the other direction at once. */
  #end(direction: ProxyDirection, name: keyof ProxyResult, error: Error): void {
    try {
      const failed = asTransferError('source', error, direction.bytesMoved)
      this.#failure = { error: failed, direction: name }
      this.#stop.abort()
    } catch (thrown) {
      this.#abortFor(thrown)
    }
  }
  #abortFor(reason: unknown): void {
    if (this.#stop.signal.aborted) return
    this.#abort = { reason }
    this.#stop.abort()
  }
  #onProgress(): void {
    const { onProgress } = this.#options
    onProgress?.(this.#aToB.bytesMoved + this.#bToA.bytesMoved)
  }
  #failed(
    { error, direction }: { readonly error: TransferError; readonly direction: keyof ProxyResult },
    result: ProxyResult,
  ): ProxyError {
    const { side, bytesMoved } = error
    // The source of a direction whose sink is the other's source: which of the two is lost?
    const isLeftLost = (direction === 'aToB') === (side === 'source')
    const lost = isLeftLost ? this.#left : this.#right
    const front = (of: ProxySide): ReturnType<ProxySide['takeFront']> =>
      of === lost || of.socket.destroyed ? of.takeFront() : undefined
    const residuals = {
      aToB: this.#aToB.takeResidual(front(this.#left)),
      bToA: this.#bToA.takeResidual(front(this.#right)),
    }
    const failure = { ...sameFailure(error), bytesMoved }
    return new ProxyError(failure, direction, result, residuals)
  }
}

function sameSides(): InvalidArgumentError {
  return new InvalidArgumentError('Both sides of the proxy are one socket. Give two')
}
