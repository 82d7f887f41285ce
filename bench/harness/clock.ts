/**
 * The clock of all figures: the time on the wall, without the time in which this thread could have
 * run but others had the CPU. So a busy machine spoils figures less: only caches remember the others.
 *
 * Linux keeps that account; elsewhere it is the wall clock. Reading it takes some microseconds, so
 * what is measured should take a hundred times as long at the least.
 */
import { openSync, readSync } from 'node:fs'

/** Three numbers: nanoseconds on a CPU, nanoseconds of waiting for one, and turns. */
const ACCOUNT = '/proc/thread-self/schedstat'
const ACCOUNT_BYTES_MAX = 128

const account = openAccount()
const text = Buffer.alloc(ACCOUNT_BYTES_MAX)

function openAccount(): number | undefined {
  try {
    return openSync(ACCOUNT, 'r')
  } catch {
    return undefined
  }
}

/** Nanoseconds that this thread has waited for a CPU. */
export function waitedNs(): number {
  if (account === undefined) return 0
  const length = readSync(account, text, 0, text.length, 0)
  return Number(text.toString('latin1', 0, length).split(' ')[1])
}

/** Nanoseconds since some moment, without those of waiting. It never goes back. */
export function nowNs(): number {
  for (;;) {
    const waited = waitedNs()
    const now = wallNs()
    // Nobody had the CPU between the two readings, or they do not belong together.
    if (waitedNs() === waited) return now - waited
  }
}

/** Nanoseconds since some moment: fewer than a number can hold for the next hundred days. */
export function wallNs(): number {
  return Number(process.hrtime.bigint())
}

/** The same clock in the form of `process.hrtime`, which the `benchmark` package reads. */
export function hrtime(from?: readonly [number, number]): [number, number] {
  const [seconds, nanoseconds] = from ?? [0, 0]
  return inPair(nowNs() - seconds * NS_PER_SECOND - nanoseconds)
}

const NS_PER_SECOND = 1e9

function inPair(ns: number): [number, number] {
  const seconds = Math.floor(ns / NS_PER_SECOND)
  return [seconds, ns - seconds * NS_PER_SECOND]
}
