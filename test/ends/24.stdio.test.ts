import type { ChildProcess } from 'node:child_process'
import { openSync, closeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { BufferList, transfer } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { startChild } from '../support/children.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasPages, needsAddon } from '../support/needs.js'
import { accounted, copiedBytes } from '../transfer/account.js'
import { fileOf, freshPath } from '../transfer/places.js'

const MIB = 1 << 20
const LENGTH = 2 * MIB + 17
const ROOT = new URL('../../..', import.meta.url)

/** A Node program that moves its standard input to its standard output, and tells on stderr how. */
function mover(from: string, to: string): readonly [string, readonly string[]] {
  const program = `
    import { transfer } from '#lib/index.js'
    const result = await transfer(${from}, ${to})
    await new Promise((resolve) => process.stderr.write(JSON.stringify(result), resolve))
  `
  return [process.execPath, ['--input-type=module', '--eval', program]]
}

/** What the program said, when it has ended. */
async function told(child: ChildProcess): Promise<{ ways: string[]; bytesMoved: number }> {
  const said: Buffer[] = []
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk))
  const code = await new Promise((resolve) => child.once('close', resolve))
  expect(code, Buffer.concat(said).toString()).to.equal(0)
  return JSON.parse(Buffer.concat(said).toString()) as { ways: string[]; bytesMoved: number }
}

const BY_STREAM = ['process.stdin', 'process.stdout'] as const
const BY_NUMBER = ['0', '1'] as const

describe("A program's standard streams", () => {
  for (const [from, to] of [BY_STREAM, BY_NUMBER]) {
    it(`as pipes: ${from} to ${to}, by reference`, async function () {
      if (from === '0') needsAddon(this)
      const { path } = await fileOf(bytes(1, LENGTH))
      const out = await freshPath()
      const [node, args] = mover(from, to)
      const words = [node, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
      const child = startChild('sh', ['-c', `cat '${path}' | ${words} | cat > '${out}'`], {
        cwd: ROOT,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      const { ways, bytesMoved } = await told(child)
      expect(bytesMoved).to.equal(LENGTH)
      if (hasPages) expect(ways).to.include('splice')
      expectSameBytes(await readFile(out), bytes(1, LENGTH))
    })

    it(`as files: ${from} to ${to}`, async () => {
      const { path } = await fileOf(bytes(2, LENGTH))
      const out = await freshPath()
      const input = openSync(path, 'r')
      const output = openSync(out, 'w')
      try {
        const [node, args] = mover(from, to)
        const child = startChild(node, args, { cwd: ROOT, stdio: [input, output, 'pipe'] })
        const { ways } = await told(child)
        const isByReference = ways.includes('splice') || ways.includes('copy_file_range')
        if (hasPages) expect(isByReference).to.equal(from === '0')
      } finally {
        closeSync(input)
        closeSync(output)
      }
      expectSameBytes(await readFile(out), bytes(2, LENGTH))
    })
  }

  it('as sockets: by reference', async () => {
    // What Node calls pipes between it and its children are pairs of unix sockets.
    const [node, args] = mover(...BY_STREAM)
    const child = startChild(node, args, { cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe'] })
    if (child.stdin === null || child.stdout === null) throw new Error('A child with pipes')
    const telling = told(child)
    const out = await freshPath()
    child.stdin.end(bytes(3, LENGTH))
    await transfer(child.stdout, { file: out })
    if (hasPages) expect((await telling).ways).to.include('splice')
    else await telling
    expectSameBytes(await readFile(out), bytes(3, LENGTH))
  })
})

describe("A child's standard streams", () => {
  it('take and give pages by reference, and end as their owner ends them', async () => {
    const { path } = await fileOf(bytes(4, LENGTH))
    const child = startChild('cat', [], { stdio: ['pipe', 'pipe', 'ignore'] })
    const { stdin, stdout } = child
    if (stdin === null || stdout === null) throw new Error('A child with pipes')
    const out = await freshPath()
    const { account } = await accounted(async () => {
      const giving = transfer({ file: path }, stdin).then(() => stdin.end())
      await transfer(stdout, { file: out })
      await giving
    })
    expectSameBytes(await readFile(out), bytes(4, LENGTH))
    // Node may have read once before its reading was taken over.
    if (hasPages) expect(copiedBytes(account)).to.be.at.most(65_536)
  })

  it('are an error at the sink when the child goes away', async () => {
    const child = startChild('sleep', ['30'], { stdio: ['pipe', 'ignore', 'ignore'] })
    const { stdin } = child
    if (stdin === null) throw new Error('A child with pipes')
    stdin.on('error', () => undefined)
    const sending = new BufferList(bytes(5, 8 * MIB))
      .spliceTo(stdin)
      .catch((error: unknown) => error)
    child.kill('SIGKILL')
    const error = await sending
    expect(error).to.include({ side: 'sink' })
    expect((error as { code: string }).code).to.match(/EPIPE|ECONNRESET|ECONNABORTED/)
  })
})
