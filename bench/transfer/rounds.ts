/** All contestants of a case in turn, a fresh process for each, as many rounds as asked. */
import { showStep } from '../harness/output.js'
import { figuresOf, type CaseFigures } from './figures.js'
import { hasOneCall, IN_NODE, ONE_CALL, type Case, type Contestant } from './flows.js'
import type { Report } from './job.js'
import { absenceOf, runOnce, type Surroundings } from './run.js'

/** A B C A B C …: what drifts in the machine drifts for all of them. */
export async function measure(
  one: Case,
  rounds: number,
  surroundings: Surroundings,
): Promise<CaseFigures> {
  const reports = new Map<Contestant, Report[]>()
  const figures: CaseFigures = {}
  for (let round = 1; round <= rounds; round += 1) {
    for (const contestant of contestantsOf(one)) {
      const absence = absenceOf(contestant, one)
      if (absence !== undefined) {
        figures[contestant] = absence
        continue
      }
      showStep(`${one.name}, round ${round}: ${contestant}`)
      const report = await runOnce(one, contestant, surroundings)
      reports.set(contestant, [...(reports.get(contestant) ?? []), report])
    }
  }
  for (const [contestant, all] of reports) figures[contestant] = figuresOf(one, all)
  return figures
}

export function contestantsOf(one: Case): readonly Contestant[] {
  const inNode = IN_NODE.filter((name) => name !== ONE_CALL || hasOneCall(one))
  return [...inNode, ...one.flow.loops]
}
