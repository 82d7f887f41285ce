/** Every case once, small, every byte compared: that each contestant still does what is measured. */
import { SmokeTally } from '../harness/smoke-tally.js'
import type { Case } from './flows.js'
import { contestantsOf } from './rounds.js'
import { absenceOf, runOnce, type Surroundings } from './run.js'

/** Messages of a pass at the most. */
const SMOKE_MESSAGES_MAX = 3
/** Enough to be many. */
const SMOKE_CONNECTIONS_MAX = 24
/** No message is larger: enough for a pipe to be filled and drained twice. */
const SMOKE_MESSAGE_BYTES_MAX = 2 * 1024 * 1024 + 1

/** Returns an exit code. Ends with the line that test runners end with. */
export async function smoke(cases: readonly Case[], surroundings: Surroundings): Promise<number> {
  const tally = new SmokeTally()
  for (const one of cases.map(small)) {
    for (const contestant of contestantsOf(one)) {
      const absence = absenceOf(contestant, one)
      if (absence !== undefined) {
        tally.skip(`${one.name}: ${contestant}: ${absence}`)
        continue
      }
      await tally.attempt(() =>
        runOnce(one, contestant, {
          ...surroundings,
          isVerified: true,
          warmUpPasses: () => 1,
          countedPasses: 1,
        }),
      )
    }
  }
  return tally.end()
}

function small(one: Case): Case {
  return {
    ...one,
    messages: Math.min(one.messages, SMOKE_MESSAGES_MAX),
    messageBytes: Math.min(one.messageBytes, SMOKE_MESSAGE_BYTES_MAX),
    flow: { ...one.flow, connections: Math.min(one.flow.connections, SMOKE_CONNECTIONS_MAX) },
  }
}
