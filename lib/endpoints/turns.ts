let lastNumber = 0

/**
 * Turns at one side of a place: one operation at a time, in the order they came.
 */
export class Turns {
  /** Whoever takes turns at two places takes the lower number first. */
  readonly number = ++lastNumber
  #isHeld = false
  readonly #waiting: (() => void)[] = []
  readonly #whenIdle: (() => void)[] = []

  /** Takes a turn: undefined when it is there at once, else resolves when it is. */
  take(): Promise<void> | undefined {
    if (this.#isHeld) return new Promise((resolve) => this.#waiting.push(resolve))
    this.#isHeld = true
    return undefined
  }
  /** Ends the turn that is held; the next in the queue has it then. */
  end(): void {
    const next = this.#waiting.shift()
    if (next !== undefined) return next()
    this.#isHeld = false
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
  /** Resolves when no turn is held or awaited. */
  idle(): Promise<void> {
    if (!this.#isHeld) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }
}

/** The turns of a descriptor that is named by its number, for as long as operations name it. */
export interface NumberTurns {
  readonly read: Turns
  readonly write: Turns
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
