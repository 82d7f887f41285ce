/**
 * What the pipes of this environment may hold, and what they hold now.
 *
 * The kernel limits pipes by slots, for all of a user's processes; slots pin memory, a page each from
 * a file and up to 32 KiB each from a socket; and every pipe takes two descriptors. Each of these has
 * a limit here, and whatever is borrowed is counted at its worst case: nobody can see how full a slot
 * is, and ten bytes can pin a whole fragment.
 */
import { totalmem } from 'node:os'
import { describe } from '../arguments.js'
import { InvalidArgumentError } from '../errors.js'
import { opened } from '../reactor.js'
import type { PageOwnership } from './raw.js'

/** A page of a file fills one slot of a pipe, in bytes. The addon is for machines with such pages. */
export const PAGE_BYTES = 4096
/** The most that one slot was seen to hold, in bytes: a compound fragment of loopback TCP. */
export const SOCKET_SLOT_BYTES_MAX = 32768
/** Slots of a large pipe: 1 MiB of whole pages, the kernel's default limit. */
export const LARGE_PIPE_SLOTS = 256
/** Slots that this process takes at the most, whoever runs it: 256 MiB of whole pages. */
const POOL_SLOTS_MAX = 65536
/** The part of a user's allowance that one process takes: the user may run others. */
const USER_SHARE = 0.75
/** The part of the descriptor limit that pipes may use; each takes two. */
const DESCRIPTOR_SHARE = 0.5
/** The part of the machine's (or the container's) memory that pages in pipes may pin. */
const MEMORY_SHARE = 0.25
/** The part of it that may be a file's cache, which the kernel then cannot take back. */
const PAGE_CACHE_SHARE = 0.125

/** What a pipe is borrowed for: pages and whose they are, or pages that another pipe holds anyway. */
export type Holding = PageOwnership | 'shared'

/** Limits on what is held in kernel pipes, for one environment: the main thread, or a worker. */
export interface Limits {
  /** Slots of all pipes together, idle ones too. Each is a page of the user's allowance. */
  readonly pipeSlots: number
  /** Pipes. Each takes two descriptors. */
  readonly pipes: number
  /** Bytes that borrowed pipes may pin: 4 KiB a slot for pages of files, 32 KiB for a socket's. */
  readonly pipeBytes: number
  /** Of those, bytes of the page cache: files' pages that the kernel cannot take back meanwhile. */
  readonly pinnedBytes: number
}

/** Limits to set; one that is undefined is as it was at the start. */
export type LimitsToSet = { readonly [Name in keyof Limits]?: number | undefined }

/** A pipe as the budget sees it. */
export interface Budgeted {
  /** Slots that the kernel gave. */
  slots: number
  /** What it was borrowed for; undefined while it is idle. */
  holding: Holding | undefined
}

const NAMES = ['pipeSlots', 'pipes', 'pipeBytes', 'pinnedBytes'] as const

/** The environment variables that lower or raise a limit. */
export const LIMIT_VARIABLES: Readonly<Record<keyof Limits, string>> = {
  pipeSlots: 'SPLICELIST_PIPE_SLOTS',
  pipes: 'SPLICELIST_PIPES',
  pipeBytes: 'SPLICELIST_PIPE_BYTES',
  pinnedBytes: 'SPLICELIST_PINNED_BYTES',
}

/** The account of one environment's pipes, against limits that are read from the system. */
export class PipeBudget {
  /** Limits in force; none until they were read. */
  #limits: Limits = { pipeSlots: -1, pipes: -1, pipeBytes: -1, pinnedBytes: -1 }
  #largeSlots = LARGE_PIPE_SLOTS
  /** What the program, or its environment, asked for. */
  #asked: LimitsToSet | undefined
  #slots = 0
  #pipes = 0
  #bytes = 0
  #pinned = 0

  /** Slots of a large pipe: fewer than usual where the system's largest pipe is smaller. */
  get largeSlots(): number {
    return this.#largeSlots
  }
  get limits(): Limits {
    if (this.#limits.pipes < 0) this.readLimits()
    return this.#limits
  }
  get inUse(): Limits {
    return {
      pipeSlots: this.#slots,
      pipes: this.#pipes,
      pipeBytes: this.#bytes,
      pinnedBytes: this.#pinned,
    }
  }
  /**
   * Reads the system's limits anew: several files, so not for every borrow. `slotsMax` overrides
   * what it says about slots: tests only.
   */
  readLimits(slotsMax?: number): void {
    const allowed = allowedBySystem()
    this.#largeSlots = allowed.largeSlots
    this.#asked ??= askedByEnvironment()
    const limits = { ...defaultsWithin(allowed) }
    for (const name of NAMES) {
      const asked = this.#asked[name]
      if (asked !== undefined) limits[name] = Math.min(asked, allowed[name])
    }
    this.#limits = slotsMax === undefined ? limits : { ...limits, pipeSlots: slotsMax }
  }
  /** Lowers or raises limits, as far as the system allows. */
  ask(asked: LimitsToSet): void {
    const all: Record<string, number | undefined> = { ...(this.#asked ?? askedByEnvironment()) }
    for (const name of NAMES) {
      if (name in asked) all[name] = asked[name] ?? askedByEnvironment()[name]
    }
    this.#asked = all
    this.readLimits()
  }

  /** Whether another pipe of so many slots may be made. */
  hasSlots(slots: number): boolean {
    const { pipeSlots, pipes } = this.limits
    return this.#slots + slots <= pipeSlots && this.#pipes < pipes
  }
  /** Whether a pipe of so many slots may be filled with such pages. */
  hasBytes(slots: number, holding: Holding): boolean {
    const { pipeBytes, pinnedBytes } = this.limits
    if (this.#bytes + slots * slotBytes(holding) > pipeBytes) return false
    return holding !== 'loan' || this.#pinned + slots * PAGE_BYTES <= pinnedBytes
  }
  /** A pipe was made. */
  addPipe({ slots }: Budgeted): void {
    this.#slots += slots
    this.#pipes += 1
  }
  /** A pipe is about to be closed. */
  removePipe(held: Budgeted): void {
    this.unlend(held)
    this.#slots -= held.slots
    this.#pipes -= 1
  }
  /** A pipe is borrowed for such pages. */
  lend(held: Budgeted, holding: Holding): void {
    held.holding = holding
    this.#count(held, 1)
  }
  /** A pipe is empty again. */
  unlend(held: Budgeted): void {
    this.#count(held, -1)
    held.holding = undefined
  }
  /** A pipe was given another number of slots. */
  resized(held: Budgeted, slots: number): void {
    this.#count(held, -1)
    this.#slots += slots - held.slots
    held.slots = slots
    this.#count(held, 1)
  }
  #count({ slots, holding }: Budgeted, sign: 1 | -1): void {
    if (holding === undefined) return
    this.#bytes += sign * slots * slotBytes(holding)
    if (holding === 'loan') this.#pinned += sign * slots * PAGE_BYTES
  }
}

/** The worst case of one slot, in bytes. */
function slotBytes(holding: Holding): number {
  if (holding === 'foreign') return SOCKET_SLOT_BYTES_MAX
  return holding === 'shared' ? 0 : PAGE_BYTES
}

interface Allowed extends Limits {
  readonly largeSlots: number
  /** What other processes of the user share with this one; Infinity where nothing limits them. */
  readonly userSlots: number
}

/** What the system would let this process have, at the very most. */
function allowedBySystem(): Allowed {
  const system = opened().limits()
  const isFree = system.privileged
  const userSlots = Math.min(
    isFree || system.userPagesSoft === 0 ? Infinity : system.userPagesSoft,
    isFree || system.userPagesHard === 0 ? Infinity : system.userPagesHard,
  )
  const largest = isFree ? Infinity : Math.floor(system.pipeMaxBytes / system.pageBytes)
  const memory = memoryBytes()
  return {
    pipeSlots: Math.min(userSlots, Number.MAX_SAFE_INTEGER),
    pipes: Math.floor(system.openFilesMax / 2),
    pipeBytes: memory,
    pinnedBytes: memory,
    largeSlots: Math.min(LARGE_PIPE_SLOTS, largest),
    userSlots,
  }
}

/** What is taken of that unless somebody asks for more or less. */
function defaultsWithin({ userSlots, pipes, pipeBytes }: Allowed): Limits {
  return {
    pipeSlots: Math.min(Math.floor(userSlots * USER_SHARE), POOL_SLOTS_MAX),
    pipes: Math.floor(pipes * DESCRIPTOR_SHARE),
    pipeBytes: Math.min(
      Math.floor(pipeBytes * MEMORY_SHARE),
      POOL_SLOTS_MAX * SOCKET_SLOT_BYTES_MAX,
    ),
    pinnedBytes: Math.min(Math.floor(pipeBytes * PAGE_CACHE_SHARE), POOL_SLOTS_MAX * PAGE_BYTES),
  }
}

/** Memory of the container, or of the machine. */
function memoryBytes(): number {
  // Where there is no container it answers 0, or more than there is.
  const container = process.constrainedMemory()
  return container > 0 ? Math.min(container, totalmem()) : totalmem()
}

/** Limits from environment variables. One that is no whole number is ignored, and said so. */
function askedByEnvironment(): Partial<Limits> {
  const asked: Partial<Record<keyof Limits, number>> = {}
  for (const name of NAMES) {
    const text = process.env[LIMIT_VARIABLES[name]]
    if (text === undefined || text === '') continue
    if (/^\d{1,15}$/.test(text)) asked[name] = Number(text)
    else {
      process.emitWarning(
        `${LIMIT_VARIABLES[name]}=${text} is no whole number, and is ignored. Give a plain number`,
        { type: 'SplicelistWarning', code: 'SPLICELIST_LIMIT' },
      )
    }
  }
  return asked
}

/** Checks limits that a program asks for. */
export function checkLimits(asked: LimitsToSet): void {
  if (typeof asked !== 'object' || (asked as unknown) === null) {
    throw new InvalidArgumentError(`Expected limits by their names, not ${describe(asked)}`)
  }
  for (const [name, value] of Object.entries(asked)) {
    if (!(NAMES as readonly string[]).includes(name)) {
      throw new InvalidArgumentError(`There is no limit '${name}'. There are ${NAMES.join(', ')}`)
    }
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0)) {
      throw new InvalidArgumentError(
        `${name} must be a whole number from 0 up, not ${describe(value)}`,
      )
    }
  }
}
