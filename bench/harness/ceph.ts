/**
 * The real Ceph list, where it is installed: a C++ program of ours over its header and library
 * (Debian: librados-dev, libradospp-dev), compiled when first asked for.
 */
import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { compiled } from './compile.js'

const run = promisify(execFile)
const HEADER = 'rados/buffer.h'

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
  const program = await compiled('ceph-list', [library, `-Wl,-rpath,${dirname(library)}`])
  const { stdout } = await run(program, ['--cases'])
  return { program, cases: new Set(stdout.split('\n').filter((name) => name !== '')) }
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
