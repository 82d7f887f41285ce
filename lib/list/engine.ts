/**
 * What the engine does with bytes faster than a loop: Node's methods of a Buffer, which take any
 * Uint8Array as their `this`. Making a Buffer of each stretch first would cost as much again.
 */

interface EngineMethods {
  /** Where the needle begins at or after `from`, or −1. Not linear in needles of over 250 bytes. */
  indexOf(this: Uint8Array, needle: Uint8Array | number, from: number): number
  /** The unsigned order of `this` from `start` to `end` and the other's range. */
  compare(
    this: Uint8Array,
    other: Uint8Array,
    otherStart: number,
    otherEnd: number,
    start: number,
    end: number,
  ): -1 | 0 | 1
}

/** Call them with `.call(bytes, …)`. */
export const engine: EngineMethods = Buffer.prototype as Buffer
