/**
 * What probes are made of: things that are dropped when the trial is over, and one page that changes
 * on the way. If its new content arrives the page was passed by reference; the old one was a copy.
 */
import type { Descriptor, Pipe, Slab } from '../native.js'
import { opened } from '../reactor.js'
import { PAGE_BYTES, SMALL_PIPE_SLOTS } from '../raw/pipe-pool.js'

/** How bytes get from one place to another here. */
export type Verdict = 'reference' | 'copy' | 'absent' | 'unknown'

/** What the page holds when it is passed on, and what it is overwritten with afterwards. */
const OLD = 0x6f
const NEW = 0x6e

/** A step was refused: the way is absent, or, where the step is not the one in question, unknown. */
export class Refused extends Error {
  readonly verdict: Verdict
  constructor(verdict: Verdict) {
    super(verdict)
    this.verdict = verdict
  }
}

/** Makes things of the system for one probe. A refusal throws `Refused`. */
export class Trial implements Disposable {
  readonly #made: (Descriptor | Pipe | Slab)[] = []

  pipe(): Pipe {
    return this.#keep(opened().pipe(SMALL_PIPE_SLOTS))
  }
  /** An open descriptor of the caller's, duplicated. */
  adopt(fd: number): Descriptor {
    return this.#keep(opened().adopt(fd, 'duplicate'))
  }
  memoryFile(): Descriptor {
    return this.#keep(opened().memoryFile())
  }
  slab(): Slab {
    return this.#keep(opened().slab(PAGE_BYTES))
  }
  socketPair(): readonly [Descriptor, Descriptor] {
    const pair = opened().socketPair()
    if (typeof pair === 'number') throw new Refused('unknown')
    for (const each of pair) this.#keep(each)
    return pair
  }
  /** A file's first page, with the old content. */
  writeOld(file: Descriptor): void {
    this.#write(file, OLD)
  }
  /** Overwrites a file's first page, and says what has become of what was passed on. */
  verdictOf(file: Descriptor, arrived: Descriptor | Pipe): Verdict {
    this.#write(file, NEW)
    return this.verdict(arrived)
  }
  /** What a pipe, or a socket, holds: the page as it was, or as it is. */
  verdict(arrived: Descriptor | Pipe): Verdict {
    const byte = new Uint8Array(1)
    if (opened().read(arrived, byte, 0, 1) !== 1) return 'unknown'
    if (byte[0] === NEW) return 'reference'
    return byte[0] === OLD ? 'copy' : 'unknown'
  }
  /** Memory of a slab, with the old content; `renew` overwrites it. */
  oldMemory(slab: Slab): { renew: () => void } {
    const memory = opened().view(slab, PAGE_BYTES)
    if (typeof memory === 'number') throw new Refused('unknown')
    const bytes = new Uint8Array(memory).fill(OLD)
    return { renew: () => void bytes.fill(NEW) }
  }
  /** The step in question: one page moves, or the way is absent. */
  pass(moved: number): void {
    if (moved !== PAGE_BYTES) throw new Refused(moved < 0 ? 'absent' : 'unknown')
  }
  /** A step on the way to the one in question. */
  prepare(moved: number): void {
    if (moved < 0) throw new Refused('unknown')
  }
  [Symbol.dispose](): void {
    for (const each of this.#made) opened().drop(each)
  }
  #write(file: Descriptor, content: number): void {
    this.prepare(opened().seek(file, 0, 0))
    this.prepare(opened().writev(file, [new Uint8Array(PAGE_BYTES).fill(content)], 0, false))
    this.prepare(opened().seek(file, 0, 0))
  }
  #keep<T extends Descriptor | Pipe | Slab>(made: T | number): T {
    if (typeof made === 'number') throw new Refused('unknown')
    this.#made.push(made)
    return made
  }
}

/** Runs one probe to its verdict. */
export function attempt(probe: (trial: Trial) => Verdict): Verdict {
  using trial = new Trial()
  try {
    return probe(trial)
  } catch (error) {
    if (error instanceof Refused) return error.verdict
    throw error
  }
}
