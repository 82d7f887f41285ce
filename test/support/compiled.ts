/** Small programs in C that do what Node cannot. */
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runChild } from './children.js'
import { tempFolder } from './folders.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The program of a source below the project's root, compiled; skips where there is no compiler. */
export async function compiled(test: Mocha.Context, source: string): Promise<string> {
  const binary = join(await tempFolder(), basename(source, '.c'))
  const options = ['-O1', '-Wall', '-Werror', '-o', binary]
  const { code, stderr } = await runChild('cc', [...options, join(root, source)]).catch(() => ({
    code: 127,
    stderr: '',
  }))
  if (code === 127) test.skip()
  if (code !== 0) throw new Error(stderr)
  return binary
}
