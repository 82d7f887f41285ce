/** One run: a fresh receiver process and a fresh sender process. */
import { startChild, type Child, type ChildEvents } from './child-process.js'
import { RunError } from './failures.js'
import type { Party, Side, SideReport } from './job.js'
import type { Pinning } from './pinning.js'
import { scheduleOf, type Passes } from './passes.js'

/** A run of which nothing is heard for this long hangs: a receiver speaks five times a second. */
const STALL_MS = 60_000
/** When one side fails, the other may have more to say about it. */
const GRACE_MS = 1_000

export interface Pair {
  readonly variant: Party
  readonly source: string
  readonly target: string
  readonly pinning: Pinning
  /** The program in C, where floors are asked for. */
  readonly floorProgram: string | undefined
  /** What is done in the same two processes. */
  readonly passes: Passes
  /** Called before each pass, while nothing is under way. */
  readonly beforePass: () => void
}
export type PairReport = Readonly<Record<Side, SideReport>>

/** Runs a pair to its end. Neither process outlives the call, whatever happens. */
export async function runPair(
  pair: Pair,
  onProgress: (acceptedBytes: number) => void,
  signal: AbortSignal,
): Promise<PairReport> {
  signal.throwIfAborted()
  const over = new AbortController()
  const end = (): void => over.abort()
  signal.addEventListener('abort', end, { once: true })
  const watch = new StallWatch(end)
  try {
    const passes = new PassTurns(pair)
    const receiver = start(pair, 'receiver', 0, over.signal, {
      progress: (acceptedBytes) => {
        watch.heard(acceptedBytes)
        onProgress(acceptedBytes)
      },
      passed: () => passes.sidePassed(),
    })
    const port = await receiver.listening.catch(() => undefined)
    if (port === undefined) throw await failureOf([receiver], end)
    const sender = start(pair, 'sender', port, over.signal, {
      progress: () => undefined,
      passed: () => passes.sidePassed(),
    })
    passes.begin(sender)
    try {
      const [sent, received] = await Promise.all([sender.report, receiver.report])
      return { sender: sent, receiver: received }
    } catch {
      throw await failureOf([receiver, sender], end)
    }
  } catch (error) {
    signal.throwIfAborted()
    if (watch.isStalled) throw new RunError(`A run of ${pair.variant} stood still for 60 s.`)
    throw error
  } finally {
    watch.stop()
    signal.removeEventListener('abort', end)
  }
}

function start(
  { variant, source, target, pinning, floorProgram, passes }: Pair,
  side: Side,
  port: number,
  signal: AbortSignal,
  events: ChildEvents,
): Child {
  const path = side === 'sender' ? source : target
  const job = { side, variant, path, port, passes }
  return startChild(job, floorProgram, pinning?.[side], signal, events)
}

/** Begins each pass when both sides have ended the one before. */
class PassTurns {
  readonly #pair: Pair
  #sender: Child | undefined
  #begun = 0
  #sidesPassed = 0

  constructor(pair: Pair) {
    this.#pair = pair
  }

  begin(sender: Child): void {
    this.#sender = sender
    this.#next()
  }

  sidePassed(): void {
    this.#sidesPassed += 1
    if (this.#sidesPassed === 2 * this.#begun) this.#next()
  }

  #next(): void {
    if (this.#begun === scheduleOf(this.#pair.passes).length) return
    this.#begun += 1
    this.#pair.beforePass()
    this.#sender?.go()
  }
}

/** What the sides died of, once both are gone: the first to die first. */
async function failureOf(children: readonly Child[], end: () => void): Promise<Error> {
  const timer = setTimeout(end, GRACE_MS)
  const reasons: string[] = []
  await Promise.all(
    children.map(({ report }) =>
      report.then(
        () => undefined,
        (reason: unknown) => reasons.push((reason as Error).message),
      ),
    ),
  )
  clearTimeout(timer)
  return new RunError(reasons.join('\n'))
}

/** Ends a run of which nothing new is heard. */
class StallWatch {
  isStalled = false
  #acceptedBytes = -1
  readonly #timer: NodeJS.Timeout

  constructor(end: () => void) {
    this.#timer = setTimeout(() => {
      this.isStalled = true
      end()
    }, STALL_MS)
  }

  heard(acceptedBytes: number): void {
    if (acceptedBytes === this.#acceptedBytes) return
    this.#acceptedBytes = acceptedBytes
    this.#timer.refresh()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
