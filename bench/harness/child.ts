/**
 * One library's work of one case, measured in a process of its own:
 *
 *     node --expose-gc child.js CASES-MODULE CASE LIBRARY
 *
 * Prints one line of JSON: a `Report`.
 */
import { fullScale, type Case, type Library } from './case.js'
import { measure } from './measure.js'
import type { Report } from './report.js'

const [module = '', name, library = ''] = process.argv.slice(2)
const { CASES } = (await import(module)) as { CASES: readonly Case[] }
const contender = CASES.find((c) => c.name === name)?.contenders[
  library as Exclude<Library, 'ceph'>
]
if (contender === undefined) throw new Error(`There is no ${library} in a case ${name}`)
const work = contender(fullScale)
const report: Report = typeof work === 'string' ? { absent: work } : await measure(work)
process.stdout.write(`${JSON.stringify(report)}\n`)
