/**
 * Turns at one side of a place: one operation at a time, in the order they came. A turn that is not
 * taken (its operation was aborted meanwhile) passes on.
 */
export class Turns {
  #last: Promise<void> = Promise.resolve()
  #waiting = 0

  /** Operations that hold or await a turn. */
  get count(): number {
    return this.#waiting
  }
  /** Resolves with the function that ends the turn, once all turns before have ended. */
  async take(): Promise<() => void> {
    let end: () => void = () => undefined
    const mine = new Promise<void>((resolve) => {
      end = resolve
    })
    const before = this.#last
    this.#last = mine
    this.#waiting += 1
    await before
    return () => {
      this.#waiting -= 1
      end()
    }
  }
  /** Resolves when no turn is held or awaited. */
  async idle(): Promise<void> {
    while (this.#waiting > 0) await this.#last
  }
}
