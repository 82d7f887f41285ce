import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const inRoot = (path: string): string => `${ROOT}${path}`

/** A compiler can take its time where several run. */
const COMPILING_MS_MAX = 120_000

const OPTIONS: ts.CompilerOptions = {
  noEmit: true,
  strict: true,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  skipLibCheck: true,
  types: ['node'],
}

/** Files that every program brings along, parsed once. */
const parsed = new Map<string, ts.SourceFile | undefined>()

/** Compiles a program that lies at the root of the package. Returns what is wrong with it. */
function errorsIn(name: string, source: string, typesOf: Readonly<Record<string, string>> = {}) {
  const path = inRoot(name)
  const host = ts.createCompilerHost(OPTIONS)
  const fileExists = host.fileExists.bind(host)
  const getSourceFile = host.getSourceFile.bind(host)
  host.getCurrentDirectory = () => ROOT
  host.fileExists = (file) => file === path || fileExists(file)
  host.getSourceFile = (file, version) => {
    if (file === path) return ts.createSourceFile(file, source, version)
    if (!parsed.has(file)) parsed.set(file, getSourceFile(file, version))
    return parsed.get(file)
  }
  host.resolveModuleNameLiterals = (literals, importer, redirect, options, file) =>
    literals.map((literal) => {
      const mode = ts.getModeForUsageLocation(file, literal, options)
      const target = typesOf[literal.text]
      if (target === undefined || importer !== path) {
        return ts.resolveModuleName(
          literal.text,
          importer,
          options,
          host,
          undefined,
          redirect,
          mode,
        )
      }
      const resolvedFileName = inRoot(target)
      return {
        resolvedModule: { resolvedFileName, extension: '.d.ts', isExternalLibraryImport: false },
      }
    })
  const program = ts.createProgram([path], OPTIONS, host)
  return ts.getPreEmitDiagnostics(program).map(({ messageText, file, start }) => {
    const line = file?.getLineAndCharacterOfPosition(start ?? 0).line ?? -1
    return `line ${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}

/** A program as bl's users write it, but for the name. */
const programFor = (name: string): string => `
import BufferListStream, { BufferList, isBufferList } from '${name}'
import type { BufferListAcceptedTypes } from '${name}'
import { BufferListStream as Named } from '${name}'
import { Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

type Collected = { readonly bytes: Buffer; readonly from: BufferList | BufferListStream }

export function collect(parts: BufferListAcceptedTypes[]): BufferList {
  const list: BufferList = new BufferList()
  for (const part of parts) list.append(part)
  return list.append([Buffer.from('a'), 'b', 1, new Uint8Array(1), new BufferList('c')]).consume(1)
}

export class Parser {
  private readonly list = new BufferList()
  feed(chunk: Buffer): Buffer[] {
    const messages: Buffer[] = []
    this.list.append(chunk)
    while (this.list.length >= 4) {
      const length: number = this.list.readUInt32BE(0)
      if (this.list.length < 4 + length) break
      messages.push(this.list.slice(4, 4 + length))
      this.list.consume(4 + length)
    }
    return messages
  }
}

export class Named2 extends BufferListStream {
  readonly kind: string = 'named'
  sum(): bigint { return this.readBigUInt64LE() + BigInt(this.get(0) ?? 0) }
}

export async function main(source: Readable): Promise<Collected> {
  const same: typeof BufferListStream = Named
  const stream: Duplex = new same((error: Error | null, bytes?: Buffer) => { error?.message; bytes?.length })
  const bl = new BufferListStream('text')
  await pipeline(source, bl)
  const cut: BufferListStream = bl.shallowSlice(1, -1).duplicate().prepend('x')
  const buffers: Buffer[] = bl.getBuffers()
  const inner: Buffer[] = bl._bufs
  const at: number = bl.indexOf('b', 0, 'utf8') + bl.indexOf(Buffer.of(1), 'hex') + bl.indexOf(cut.slice())
  const out: Buffer = bl.copy(Buffer.alloc(9), 1, at, buffers.length + inner.length)
  const text: string = bl.toString('latin1', 0, 4) + bl.readIntLE(0, 6) + new Named2().kind
  const is: boolean = isBufferList(text) && BufferList.isBufferList(stream)
  const check: (value: any) => boolean = isBufferList
  for await (const chunk of bl) check(chunk)
  return { bytes: out, from: is ? new BufferList(Buffer.from(text)) : bl }
}
`

/** The same for CommonJS, where the package is one class with the others on it. */
const REQUIRED = `
import BufferListStream = require('splicelist/bl')
import standard from 'splicelist/bl'
const { BufferList, isBufferList } = BufferListStream
const list = new BufferList('ab').append(new BufferListStream.BufferList('cd'))
const stream: BufferListStream = new standard(list).shallowSlice(1)
export = isBufferList(stream) satisfies boolean
`

describe("The drop-in's types", function () {
  this.timeout(COMPILING_MS_MAX)

  it("are right for a program that is written for bl, and bl's are", () => {
    expect(errorsIn('program.mts', programFor('bl'))).to.deep.equal([])
    expect(errorsIn('program.mts', programFor('splicelist/bl'))).to.deep.equal([])
  })

  it("pass bl's own test of its types, as published", () => {
    const own = readFileSync(new URL('test/types.ts', import.meta.resolve('bl')), 'utf8')
    const ours = { '../types/index.js': 'dist/bl.d.ts' }
    expect(errorsIn('own.mts', own, ours)).to.deep.equal([])
    const broken = own.replaceAll('bl2.get(0)', 'bl2.got(0)')
    expect(errorsIn('own.mts', broken, ours)).to.have.length(1)
  })

  it('are right for CommonJS', () => {
    expect(errorsIn('program.cts', REQUIRED)).to.deep.equal([])
  })

  it('know more than those of bl: the list, streams as parts, arrays in arrays', () => {
    const program = `
      import { BufferList, BufferListStream } from 'splicelist/bl'
      import { BufferList as List } from 'splicelist'
      const list: List = new BufferList().list
      new BufferListStream([[['a'], new BufferListStream()], list]).append(list).prepend(new BufferListStream())
      const place: number = new BufferList('ab').indexOf(list)
      const sent: Promise<number> = new BufferListStream().list.spliceTo(process.stdout)
      export { place, sent }`
    expect(errorsIn('program.mts', program)).to.deep.equal([])
  })

  it('refuse what is wrong: assignments to what can only be read, parts that are none', () => {
    const program = `
      import { BufferList } from 'splicelist/bl'
      const bl = new BufferList()
      bl.length = 0
      bl._bufs = []
      bl.append({})
      bl.append(5)`
    const lines = errorsIn('program.mts', program).map((error) => /^line \d+/.exec(error)?.[0])
    expect(lines).to.deep.equal(['line 4', 'line 5', 'line 6'])
  })
})
