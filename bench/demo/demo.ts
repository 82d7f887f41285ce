/**
 * The main job, measured: a real file is framed as messages and sent over loopback TCP into another
 * file, by splicelist and by ordinary Node streams in turn.
 *
 *     npm run demo [-- FILE] [--payload BYTES] [--rounds N] [--bytes N] [--json] [--dir DIR] [--floor]
 */
import { exitCodeOf } from '../harness/failures.js'
import { readEnvironment } from './environment.js'
import { compileFloor } from './floor.js'
import { FLOORS, VARIANTS } from './job.js'
import { USAGE, parseOptions, type Options } from './options.js'
import { passesOf } from './passes.js'
import { choosePinning } from './pinning.js'
import { Progress } from './progress.js'
import { checkRequest } from './request.js'
import { resultOf, type Result } from './result.js'
import { runRounds } from './rounds.js'
import { renderTable } from './table.js'
import { Workplace } from './workplace.js'

/** Signals that end the demo, and the exit codes that a shell expects of them. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const interruption = new AbortController()
  let interruptedCode = 0
  for (const [name, code] of Object.entries(SIGNALS)) {
    process.on(name, () => {
      interruptedCode = code
      interruption.abort()
    })
  }
  try {
    const options = parseOptions(args)
    if (options.help) {
      process.stdout.write(USAGE)
      return 0
    }
    const result = await run(options, interruption.signal)
    process.stdout.write(
      options.json ? `${JSON.stringify(result, null, 2)}\n` : renderTable(result),
    )
    return result.equal ? 0 : 1
  } catch (error) {
    return interruptedCode || exitCodeOf(error)
  }
}

async function run(options: Options, signal: AbortSignal): Promise<Result> {
  const { rounds, payloadBytes, floor } = options
  const request = await checkRequest(options)
  const pinning = choosePinning()
  const floorProgram = floor ? await compileFloor() : undefined
  const parties = floor ? [...VARIANTS, ...FLOORS] : VARIANTS
  const progress = new Progress(rounds * parties.length)
  progress.step('preparing the files')
  const workplace = await Workplace.make(request, signal)
  const removeFiles = (): void => workplace.remove()
  process.once('exit', removeFiles)
  try {
    const plan = { fileBytes: workplace.fileBytes, payloadBytes }
    const passes = passesOf(plan)
    const settings = { passes, rounds, workplace, pinning, parties, floorProgram }
    const runs = await runRounds(settings, progress, signal)
    const environment = {
      ...readEnvironment(pinning, plan.fileBytes),
      rounds,
      passes: 1 + passes.warmPasses + passes.countedPasses,
      warmPasses: passes.warmPasses,
      countedPasses: passes.countedPasses,
      payloadBytes,
    }
    return resultOf(runs, plan, workplace.digest, environment)
  } finally {
    progress.close()
    removeFiles()
    process.off('exit', removeFiles)
  }
}
