/**
 * Which payloads there are, which of them are sent twice and when, and which the receiver looks at.
 * Every variant follows this plan, so all of them put the same messages on the wire in the same
 * order.
 */

/** How many first bytes of a payload the receiver looks at. */
export const LOOK_BYTES = 64

const PERIOD = 100
const LOOKED_AT = 0
/** Sent again right after itself. */
const AGAIN_AT_ONCE = 1
/** Sent again after its successor: out of order, so it has to be held meanwhile. */
const AGAIN_LATER = 51

export interface Plan {
  readonly fileBytes: number
  readonly payloadBytes: number
}

export function payloadCount(plan: Plan): number {
  return Math.ceil(plan.fileBytes / plan.payloadBytes)
}

export function payloadOffset(plan: Plan, sequence: number): number {
  return sequence * plan.payloadBytes
}

/** The last payload of a file may be short. */
export function payloadLength(plan: Plan, sequence: number): number {
  return Math.min(plan.payloadBytes, plan.fileBytes - payloadOffset(plan, sequence))
}

/** Whether this payload will be sent a second time, so that the sender has to keep it. */
export function isSentTwice(sequence: number): boolean {
  const place = sequence % PERIOD
  return place === AGAIN_AT_ONCE || place === AGAIN_LATER
}

/** The payload that is sent again right after this one was sent, if any. */
export function sentAgainAfter(plan: Plan, sequence: number): number | undefined {
  const place = sequence % PERIOD
  const isLast = sequence === payloadCount(plan) - 1
  if (place === AGAIN_AT_ONCE || (place === AGAIN_LATER && isLast)) return sequence
  return place === AGAIN_LATER + 1 ? sequence - 1 : undefined
}

export function isLookedAt(sequence: number): boolean {
  return sequence % PERIOD === LOOKED_AT
}

/** What a whole run of the plan comes to; what a ledger has to reconcile with. */
export interface PlanTotals {
  readonly payloads: number
  readonly messages: number
  readonly payloadBytesSent: number
  readonly lookedAtBytes: number
}

export function planTotals(plan: Plan): PlanTotals {
  const payloads = payloadCount(plan)
  let messages = payloads
  let payloadBytesSent = plan.fileBytes
  let lookedAtBytes = 0
  for (let sequence = 0; sequence < payloads; sequence += 1) {
    const lengthBytes = payloadLength(plan, sequence)
    if (isLookedAt(sequence)) lookedAtBytes += Math.min(LOOK_BYTES, lengthBytes)
    if (!isSentTwice(sequence)) continue
    messages += 1
    payloadBytesSent += lengthBytes
  }
  return { payloads, messages, payloadBytesSent, lookedAtBytes }
}
