/** What the demo and its children say to each other. */
import type { Socket } from 'node:net'
import type { Cost } from '../harness/meter.js'
import type { Passes } from './passes.js'
import type { Plan } from './plan.js'

export const VARIANTS = ['splicelist', 'streams.default', 'streams.tuned'] as const
export type Variant = (typeof VARIANTS)[number]

/** Programs in C that do the same, when they are asked for: see floor.ts. */
export const FLOORS = ['floor.splice', 'floor.sendfile', 'floor.copy'] as const
export type Floor = (typeof FLOORS)[number]

/** Whoever takes its turn in a round. */
export type Party = Variant | Floor

export const SIDES = ['sender', 'receiver'] as const
export type Side = (typeof SIDES)[number]

/** Everything a child has to know. Travels as one argument, in JSON. */
export interface Job {
  readonly side: Side
  readonly variant: Party
  /** Each over a fresh connection. */
  readonly passes: Passes
  /** The sender reads it; the receiver writes it. */
  readonly path: string
  /** Where the receiver listens. 0 for the receiver itself: any free port. */
  readonly port: number
}

/** What a role is told of the pass that it does. */
export interface Pass extends Pick<Job, 'variant' | 'path'> {
  readonly plan: Plan
}

/** Bytes by what happened to them, as one process accounts for them. */
export interface Ledger {
  readonly moved: number
  readonly inspected: number
  readonly copied: Readonly<Record<string, number>>
  readonly kernelCopied: Readonly<Record<string, number>>
}

/** What a receiver counts up while it runs, for the progress bar. */
export interface Tally {
  acceptedBytes: number
}

/**
 * One side of one variant, from a fresh connection to the acknowledgement. What it costs the
 * process, from call to settled promise, is what the demo measures.
 */
export type Role = (socket: Socket, pass: Pass, tally: Tally) => Promise<Ledger>

/** One side of one run: what a counted pass cost, in the mean. */
export interface SideReport extends Cost {
  /** What the first pass cost, in a process that has just started. */
  readonly cold: Cost
  readonly peakRssBytes: number
  /** Programs in C keep none. */
  readonly ledger?: Ledger
}

export type ChildMessage =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'passed' }
  | { readonly kind: 'done'; readonly report: SideReport }

export function highWaterMarkOf(variant: Party): number | undefined {
  return variant === 'streams.tuned' ? 1024 * 1024 : undefined
}
