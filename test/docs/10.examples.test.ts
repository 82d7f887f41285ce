/**
 * Every example in the README and in the public doc comments is run, and prints what it says.
 */
import { readFile, readdir, writeFile, mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import path from 'node:path'
import { expect } from 'chai'
import ts from 'typescript'
import { addon } from '#lib/native.js'
import { runChild } from '../support/children.js'
import { tempFolder } from '../support/folders.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** Inside the package, so that an example can import it by its name, as a user does. */
const EXAMPLES = path.join(ROOT, 'out', 'examples')
const isByReference = addon !== null && process.env['SPLICELIST_MODE'] === undefined

interface Example {
  readonly name: string
  readonly code: string
  /** Lines that it says it prints. */
  readonly prints: readonly string[]
}

/** The code blocks of a page, or of the comments of a source. */
function examplesIn(name: string, text: string): Example[] {
  const blocks = [...text.matchAll(/```(?:js|ts)\n([\s\S]*?)```/g)]
  return blocks.map((block, i) => {
    const code = (block[1] ?? '').replace(/^ *\* ?/gm, '')
    const prints = [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map((m) => m[1] ?? '')
    return { name: `${name}, example ${i + 1}`, code, prints }
  })
}

async function allExamples(): Promise<Example[]> {
  const readme = await readFile(path.join(ROOT, 'README.md'), 'utf8')
  const files = await readdir(path.join(ROOT, 'lib'), { recursive: true })
  const sources = files.filter((file) => file.endsWith('.ts')).sort()
  const texts = await Promise.all(
    sources.map(async (file) =>
      examplesIn(file, await readFile(path.join(ROOT, 'lib', file), 'utf8')),
    ),
  )
  return [...examplesIn('README.md', readme), ...texts.flat()]
}

async function run({ name, code }: Example): Promise<string[]> {
  const cwd = await tempFolder()
  await writeFile(path.join(cwd, 'from'), 'bytes of an example')
  await mkdir(EXAMPLES, { recursive: true })
  const file = path.join(EXAMPLES, `${name.replace(/\W+/g, '-')}.mjs`)
  const target = ts.ScriptTarget.ES2022
  const module = ts.ModuleKind.ESNext
  await writeFile(file, ts.transpile(code, { target, module }))
  const { code: exitCode, stdout, stderr } = await runChild(process.execPath, [file], { cwd })
  expect(exitCode, stderr).to.equal(0)
  expect(stderr).to.equal('')
  return stdout.split('\n').filter((line) => line !== '')
}

const examples = await allExamples()

describe('The examples of the documentation', () => {
  it('are found', () => {
    expect(examples.length).to.be.greaterThan(4)
  })
  for (const example of examples) {
    it(`run and print what they say: ${example.name}`, async () => {
      const printed = await run(example)
      if (isByReference) expect(printed).to.deep.equal(example.prints)
    })
  }
})
