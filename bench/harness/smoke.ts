/**
 * Every case once, small and without a clock: that every contender still runs, and that all of them
 * give the same answer.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { smokeScale, type Case, type Library } from './case.js'
import type { Ceph } from './ceph.js'
import { answerOf } from './measure.js'
import type { Absence } from './report.js'
import { checkAnswers, contendersOf, type Plan } from './rounds.js'
import { SmokeTally } from './smoke-tally.js'

const run = promisify(execFile)

/** Returns an exit code. Ends with the line that test runners end with. */
export async function smoke(
  cases: readonly Case[],
  plan: Pick<Plan, 'libraries' | 'ceph'>,
): Promise<number> {
  const tally = new SmokeTally()
  for (const one of cases) {
    let first: { library: Library; answer: number } | undefined
    for (const library of contendersOf(one, plan)) {
      try {
        const report = await runOnce(one, library, plan.ceph)
        if ('absent' in report) {
          tally.skip(`${one.name}: ${library}: ${report.absent}`)
          continue
        }
        first ??= { library, answer: report.answer }
        checkAnswers(one.name, first, { library, answer: report.answer })
        tally.pass()
      } catch (error) {
        tally.fail(`${one.name}: ${library}: ${String((error as Error).stack)}`)
      }
    }
  }
  return tally.end()
}

type Answer = Absence | { readonly answer: number }

async function runOnce(one: Case, library: Library, ceph: Ceph | undefined): Promise<Answer> {
  if (library === 'ceph') {
    const { stdout } = await run(ceph?.program ?? '', [one.name, '--smoke'])
    return JSON.parse(stdout) as Answer
  }
  const work = one.contenders[library]?.(smokeScale) ?? 'is not there'
  return typeof work === 'string' ? { absent: work } : { answer: answerOf(work) }
}
