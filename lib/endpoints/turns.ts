let lastNumber = 0

/** Whoever waits for a turn. */
interface Waiting {
  readonly promise: Promise<void>
  readonly begin: () => void
}

/**
 * Turns at one side of a place: one operation at a time, in the order they came.
 */
export class Turns {
  /** Whoever takes turns at two places takes the lower number first. */
  readonly number: number
  #isHeld = false
  readonly #waiting: Waiting[] = []
  readonly #whenIdle: (() => void)[] = []

  /** With the number of others where they stand for these: an order is one of what is waited for. */
  constructor(number = ++lastNumber) {
    this.number = number
  }
  /**
   * Takes a turn: undefined when it is there at once, else resolves when it is. Throws, or rejects,
   * where it can never come.
   */
  take(): Promise<void> | undefined {
    if (this.#isHeld) return this.#wait()
    this.#isHeld = true
    return undefined
  }
  /** Ends the turn that is held; the next in the queue has it then. */
  end(): void {
    const next = this.#waiting.shift()
    if (next !== undefined) return next.begin()
    this.#isHeld = false
    if (this.#whenIdle.length === 0) return
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
  /** Gives up a turn that `take` promised and that nobody wants any more, whether it came or not. */
  giveUp(promised: Promise<void>): void {
    const at = this.#waiting.findIndex(({ promise }) => promise === promised)
    if (at < 0) this.end()
    else this.#waiting.splice(at, 1)
  }
  /** Resolves when no turn is held or awaited. */
  idle(): Promise<void> {
    if (!this.#isHeld) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }
  #wait(): Promise<void> {
    let begin: () => void = () => undefined
    const promise = new Promise<void>((resolve) => {
      begin = resolve
    })
    this.#waiting.push({ promise, begin })
    return promise
  }
}

/** The turns at both sides of a place. */
export interface SideTurns {
  readonly read: Turns
  readonly write: Turns
}

/** The turns of a descriptor that is named by its number, for as long as operations name it. */
export interface NumberTurns extends SideTurns {
  users: number
}
const byNumber = new Map<number, NumberTurns>()

/** For one more user, who calls `letGoOfNumber` once. */
export function turnsOfNumber(fd: number): NumberTurns {
  const known = byNumber.get(fd) ?? { read: new Turns(), write: new Turns(), users: 0 }
  known.users += 1
  byNumber.set(fd, known)
  return known
}
export function letGoOfNumber(fd: number): void {
  const known = byNumber.get(fd)
  if (known !== undefined && --known.users === 0) byNumber.delete(fd)
}
