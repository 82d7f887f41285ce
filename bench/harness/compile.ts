/** Programs of bench/baseline/, compiled when first asked for and whenever a source is younger. */
import { execFile } from 'node:child_process'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { RunError } from './failures.js'

const run = promisify(execFile)
/** From the folder of the compiled harness. */
const SOURCES = fileURLToPath(new URL('../../../bench/baseline/', import.meta.url))
const PROGRAMS = fileURLToPath(new URL('../baseline/', import.meta.url))
const FLAGS = ['-O2', '-std=c++17', '-Wall', '-Wextra', '-Werror']
const COMPILE_MS_MAX = 120_000

/** The path of the program that NAME.cc and the headers beside it make. */
export async function compiled(name: string, link: readonly string[] = []): Promise<string> {
  const program = `${PROGRAMS}${name}`
  const source = `${SOURCES}${name}.cc`
  if (await isUpToDate(program, source)) return program
  process.stderr.write(`compiling ${name}.cc …\n`)
  await mkdir(dirname(program), { recursive: true })
  try {
    await run('g++', [...FLAGS, source, '-o', program, ...link], { timeout: COMPILE_MS_MAX })
  } catch (error) {
    const { stderr = String(error) } = error as { stderr?: string }
    throw new RunError(`${name}.cc does not compile.\n${stderr}`)
  }
  return program
}

/** Whether the program is younger than its source and every header. */
async function isUpToDate(program: string, source: string): Promise<boolean> {
  const headers = (await readdir(SOURCES)).filter((name) => name.endsWith('.h'))
  const sources = [source, ...headers.map((name) => `${SOURCES}${name}`)]
  const [made = 0, ...ages] = await Promise.all([program, ...sources].map(modifiedMs))
  return ages.every((age = Infinity) => made > age)
}

async function modifiedMs(path: string): Promise<number | undefined> {
  return stat(path).then(
    (found) => found.mtimeMs,
    () => undefined,
  )
}
