/** Runs the contenders of a case in turn, a fresh process for each, as many rounds as asked. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { LIBRARIES, type Case, type Library } from './case.js'
import type { Ceph } from './ceph.js'
import { RunError } from './failures.js'
import type { Measurement } from './measure.js'
import { isAbsence, type Report } from './report.js'
import { median } from './statistics.js'

const run = promisify(execFile)
const CHILD = fileURLToPath(new URL('child.js', import.meta.url))
/** A contender that takes longer than this for one process gets one round. */
const LONG_MS = 8000
/** One that takes longer than this is not waited for: some peers would take minutes. */
const PROCESS_MS_MAX = 30_000
/** A process that waited for a CPU for more than this share of its time was disturbed. */
const WAITED_SHARE_MAX = 0.1

/** What is measured, and by what. */
export interface Plan {
  /** The module that exports `CASES`. */
  readonly module: string
  readonly libraries: readonly Library[]
  readonly rounds: number
  readonly node: string
  readonly ceph: Ceph | undefined
  /** Told what is going on, before each process. */
  readonly onStep: (step: string) => void
}

/** A library's figures in one case. */
export interface Figures {
  /** The median of each round, in nanoseconds or bytes for one operation. */
  readonly rounds: readonly number[]
  readonly median: number
  /** Whether others had the CPU for much of the time: then caches were cold too often. */
  readonly disturbed: boolean
  /** What stands in place of figures, where there are none. */
  readonly absent?: string
}

export type CaseFigures = Partial<Record<Library, Figures>>

/** Who takes part in a case. */
export function contendersOf(
  { name, contenders }: Case,
  { libraries, ceph }: Pick<Plan, 'libraries' | 'ceph'>,
): Library[] {
  const isThere = (library: Library): boolean =>
    library === 'ceph' ? ceph?.cases.has(name) === true : contenders[library] !== undefined
  return LIBRARIES.filter((library) => libraries.includes(library) && isThere(library))
}

/** A B C A B C …: what drifts in the machine drifts for all of them. */
export async function runCase(one: Case, plan: Plan): Promise<CaseFigures> {
  const contest = new Contest(one)
  let running = contendersOf(one, plan)
  for (let round = 0; round < plan.rounds; round++) {
    const ended = new Set<Library>()
    for (const library of running) {
      plan.onStep(`${one.name}, round ${round + 1}: ${library}`)
      const begin = performance.now()
      const goesOn = contest.add(library, await runProcess(one, library, plan))
      if (!goesOn || performance.now() - begin > LONG_MS) ended.add(library)
    }
    running = running.filter((library) => !ended.has(library))
  }
  return contest.figures()
}

/** What the processes of one case have said so far. */
class Contest {
  readonly #case: Case
  readonly #reports = new Map<Library, Measurement[]>()
  readonly #absent = new Map<Library, string>()
  #first: { readonly library: Library; readonly answer: number } | undefined

  constructor(one: Case) {
    this.#case = one
  }
  /** Whether there is any use in asking that library again. */
  add(library: Library, report: Report): boolean {
    if (isAbsence(report)) {
      this.#absent.set(library, report.absent)
      return false
    }
    this.#first ??= { library, answer: report.answer }
    checkAnswers(this.#case.name, this.#first, { library, answer: report.answer })
    this.#reports.set(library, [...(this.#reports.get(library) ?? []), report])
    return true
  }
  figures(): CaseFigures {
    const figures: CaseFigures = {}
    for (const [library, reports] of this.#reports) {
      const rounds = reports.map(({ samples }) => median(samples))
      const waitedShare = median(reports.map((report) => report.waitedShare))
      const disturbed = this.#case.unit !== 'bytes' && waitedShare > WAITED_SHARE_MAX
      figures[library] = { rounds, median: median(rounds), disturbed }
    }
    for (const [library, absent] of this.#absent) {
      figures[library] = { rounds: [], median: NaN, disturbed: false, absent }
    }
    return figures
  }
}

/** Two libraries that answer differently do not do the same work. */
export function checkAnswers(
  name: string,
  a: { readonly library: Library; readonly answer: number },
  b: { readonly library: Library; readonly answer: number },
): void {
  if (a.answer === b.answer) return
  throw new RunError(
    `${name}: ${a.library} answers ${a.answer}, ${b.library} answers ${b.answer}. ` +
      `They do not do the same work`,
  )
}

async function runProcess({ name }: Case, library: Library, plan: Plan): Promise<Report> {
  const [program, args] =
    library === 'ceph'
      ? [plan.ceph?.program ?? '', [name]]
      : [plan.node, ['--expose-gc', CHILD, plan.module, name, library]]
  try {
    const { stdout } = await run(program, args, { timeout: PROCESS_MS_MAX })
    return JSON.parse(stdout) as Report
  } catch (error) {
    const { killed, stderr = '' } = error as { killed?: boolean; stderr?: string }
    if (killed === true) return { absent: `over ${PROCESS_MS_MAX / 1000} s` }
    throw new RunError(`${name}: ${library} failed.\n${stderr === '' ? String(error) : stderr}`)
  }
}
