/**
 * The real Ceph list, where it is installed: a C++ program of ours over its header and library
 * (Debian: librados-dev, libradospp-dev), compiled when first asked for.
 */
import { execFile } from 'node:child_process'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { RunError } from './failures.js'

const run = promisify(execFile)
/** From the folder of the compiled harness. */
const SOURCES = fileURLToPath(new URL('../../../bench/baseline/', import.meta.url))
const PROGRAM = fileURLToPath(new URL('../baseline/ceph-list', import.meta.url))
const HEADER = 'rados/buffer.h'
const COMPILE_MS_MAX = 120_000

export interface Ceph {
  readonly program: string
  readonly cases: ReadonlySet<string>
}

/** The program, or why there is none. */
export async function openCeph(): Promise<Ceph | string> {
  const library = await libraryPath()
  if (library === undefined) return 'there is no g++ here'
  if (!(await hasHeader())) return `<${HEADER}> is not installed (Debian: libradospp-dev)`
  if (!(await isFile(library))) return `${library} is not installed (Debian: librados2)`
  if (!(await isCompiled())) await compile(library)
  const { stdout } = await run(PROGRAM, ['--cases'])
  return { program: PROGRAM, cases: new Set(stdout.split('\n').filter((name) => name !== '')) }
}

/** Where Debian keeps the library: beside no other, so the linker has to be told. */
async function libraryPath(): Promise<string | undefined> {
  try {
    const { stdout } = await run('g++', ['-print-multiarch'])
    return `/usr/lib/${stdout.trim()}/ceph/libceph-common.so.2`
  } catch {
    return undefined
  }
}

async function hasHeader(): Promise<boolean> {
  const asked = run('g++', ['-x', 'c++', '-E', '-include', HEADER, '-o', '/dev/null', '-'])
  asked.child.stdin?.end()
  return asked.then(
    () => true,
    () => false,
  )
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

/** Whether the program is younger than each of its sources. */
async function isCompiled(): Promise<boolean> {
  const sources = (await readdir(SOURCES)).map((name) => `${SOURCES}${name}`)
  const [program = 0, ...ages] = await Promise.all([PROGRAM, ...sources].map(modifiedMs))
  return ages.every((age = Infinity) => program > age)
}

async function modifiedMs(path: string): Promise<number | undefined> {
  return stat(path).then(
    (found) => found.mtimeMs,
    () => undefined,
  )
}

async function compile(library: string): Promise<void> {
  process.stderr.write('compiling the C++ program over the Ceph list …\n')
  await mkdir(dirname(PROGRAM), { recursive: true })
  const flags = ['-O2', '-std=c++17', '-Wall', '-Wextra', '-Werror']
  const link = [library, `-Wl,-rpath,${dirname(library)}`]
  try {
    await run('g++', [...flags, `${SOURCES}ceph-list.cc`, '-o', PROGRAM, ...link], {
      timeout: COMPILE_MS_MAX,
    })
  } catch (error) {
    throw new RunError(`The C++ program does not compile.\n${(error as { stderr: string }).stderr}`)
  }
}
