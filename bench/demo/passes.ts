/**
 * What a run does in the same two processes, pass by pass. Servers run for months, so V8 has to have
 * compiled what is hot before anything counts: that takes some ten thousand messages, which are cheap
 * when they are small, and ten gigabytes when they are not. Every party does the same passes.
 */
import { payloadCount, planTotals, type Plan } from './plan.js'

const KIB = 1024
const GIB = KIB * KIB * KIB
/** After so many messages nothing gets faster any more, in any of the variants. */
const WARM_MESSAGES = 16_384
const WARM_PASSES_MAX = 16
/** Large enough to go the ways of the real ones: by reference, and to the file one by one. */
const WARM_PAYLOAD_BYTES = 128 * KIB
/** Of one pass: the file is not read through four times for it. */
const WARM_PAYLOADS = 4096
/** What is measured, when processes are warm: the mean of several passes is steadier than one. */
const COUNTED_BYTES = 2 * GIB
const COUNTED_PASSES_MAX = 8

export interface Passes {
  /** The first pass and every counted one. */
  readonly plan: Plan
  /** Between them. */
  readonly warmPlan: Plan
  readonly warmPasses: number
  readonly countedPasses: number
}

export function passesOf(plan: Plan): Passes {
  const payloadBytes = Math.min(plan.payloadBytes, WARM_PAYLOAD_BYTES)
  const fileBytes = Math.min(plan.fileBytes, WARM_PAYLOADS * payloadBytes)
  const warmPlan = { fileBytes, payloadBytes }
  const payloads = Math.max(1, payloadCount(warmPlan))
  const counted = Math.floor(COUNTED_BYTES / Math.max(1, plan.fileBytes))
  return {
    plan,
    warmPlan,
    warmPasses: Math.min(WARM_PASSES_MAX, Math.ceil(WARM_MESSAGES / payloads)),
    countedPasses: Math.min(COUNTED_PASSES_MAX, Math.max(1, counted)),
  }
}

/** The plan of each pass, in order. */
export function scheduleOf({ plan, warmPlan, warmPasses, countedPasses }: Passes): readonly Plan[] {
  const warm = Array.from({ length: warmPasses }, () => warmPlan)
  return [plan, ...warm, ...Array.from({ length: countedPasses }, () => plan)]
}

/** Payload that a whole run puts on the wire. */
export function bytesSent(passes: Passes): number {
  return scheduleOf(passes).reduce((sum, plan) => sum + planTotals(plan).payloadBytesSent, 0)
}
