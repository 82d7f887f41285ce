import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { bytes } from '../support/bytes.js'
import { runScript, type ChildResult } from '../support/children.js'
import { tempFolder } from '../support/folders.js'
import { hasPages, needsAddon, needsPages } from '../support/needs.js'

/** What the scripts have at hand. */
const PRELUDE = `
  import { open } from 'node:fs/promises'
  import net from 'node:net'
  import { once } from 'node:events'
  import { PassThrough } from 'node:stream'
  import { AccidentalCopyError, attach, audit, BufferList, counters, transfer } from 'splicelist'
  import { addon } from '#lib/native.js'
  import { pipePool } from '#lib/raw/pipe-pool.js'

  const two = () => new BufferList(Buffer.alloc(60, 'a'), Buffer.alloc(40, 'b'))
  const told = (value) => console.log(JSON.stringify(value))
  /** What an action throws or rejects with. */
  const refused = async (action) => {
    try {
      await action()
      return 'nothing'
    } catch (error) {
      const { name, code, copyCause, bytes, site, message } = error
      return { name, code, copyCause, bytes, site, message }
    }
  }
  const pair = async () => {
    const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = net.connect(server.address().port, '127.0.0.1')
    const [accepted] = await once(server, 'connection')
    return { client, accepted, end: () => { client.destroy(); accepted.destroy(); server.close() } }
  }
`

function run(mode: string, script: string, args = ''): Promise<ChildResult> {
  const source = `${PRELUDE}\n${args}\n${script}`
  return runScript(source, { env: { SPLICELIST_AUDIT: mode, SPLICELIST_MODE: '' } })
}

/** What a script told, a line each. */
function lines({ stdout, stderr }: ChildResult): unknown[] {
  const told = stdout.split('\n').filter((line) => line !== '')
  if (told.length === 0) throw new Error(stderr)
  return told.map((line) => JSON.parse(line) as unknown)
}

interface Refusal {
  readonly name: string
  readonly code: string
  readonly copyCause: string
  readonly bytes?: number
  readonly site: string
  readonly message: string
}

describe('SPLICELIST_AUDIT=warn', () => {
  it('warns of every accident, each place once, and of nothing that is intended', async () => {
    const result = await run(
      'warn',
      `
      const warnings = []
      process.on('warning', ({ name, code, message }) => warnings.push({ name, code, message }))
      function reads() { two().cStr() }
      function joins() { two().rebuild() }
      for (let i = 0; i < 3; i++) { reads(); joins() }
      two().toBuffer()
      two().append('text').cStr(0, 100, { intended: true })
      await 0
      setImmediate(() => told(warnings))
      `,
    )
    const [warnings] = lines(result) as { name: string; code: string; message: string }[][]
    expect(warnings).to.have.length(2)
    for (const { name, code } of warnings ?? []) {
      expect([name, code]).to.deep.equal(['SplicelistCopyWarning', 'SPLICELIST_COPY'])
    }
    const messages = (warnings ?? []).map(({ message }) => message)
    expect(messages[0]).to.match(
      /^60 bytes are copied by accident: cross-segment \(.*\), at reads /,
    )
    expect(messages[1]).to.match(/, at joins .*\{ intended: true \}$/)
  })

  it('names the call of an operation whose copy came later', async () => {
    const result = await run(
      'warn',
      `
      const warnings = []
      process.on('warning', ({ message }) => warnings.push(message))
      const stream = new PassThrough()
      function starts() { return new BufferList().spliceFrom(stream, 10) }
      const running = starts()
      setImmediate(() => stream.write(Buffer.alloc(10)))
      await running
      setImmediate(() => told(warnings))
      `,
    )
    const [warnings] = lines(result) as string[][]
    expect(warnings).to.have.length(1)
    expect(warnings?.[0]).to.match(/^10 bytes .*: stream \(.*, at starts /)
  })

  it('counts in audits as ever, which end without ending it', async () => {
    const result = await run(
      'warn',
      `
      let warnings = 0
      process.on('warning', () => warnings++)
      const { report } = await audit(() => two().cStr())
      const stream = new PassThrough().end(Buffer.alloc(10))
      await new BufferList().spliceFrom(stream, 10)
      setImmediate(() => told([report.accidental, warnings]))
      `,
    )
    expect(lines(result)).to.deep.equal([[100, 2]])
  })
})

describe('SPLICELIST_AUDIT=throw', () => {
  it('throws what a list would copy, before it does, with the place', async () => {
    const result = await run(
      'throw',
      `
      const before = counters.snapshot().accidental
      const list = two()
      function reads() { list.cStr() }
      told(await refused(reads))
      told(await refused(() => list.rebuild()))
      told(await refused(() => list.toString()))
      told([list.numBuffers, counters.snapshot().accidental - before])
      told(list.toBuffer().length + list.cStr(0, 100, { intended: true }).length)
      told(list.append('text').cStr(0, 60).length)
      `,
    )
    const [first, ...rest] = lines(result) as [Refusal, ...unknown[]]
    expect(first).to.include({
      name: 'AccidentalCopyError',
      code: 'ERR_SPLICELIST_ACCIDENTAL_COPY',
      copyCause: 'cross-segment',
      bytes: 60,
    })
    expect(first.site).to.match(/^reads /)
    expect(first.message).to.include(first.site)
    expect(rest.slice(0, 2).map((it) => (it as Refusal).name)).to.deep.equal([
      'AccidentalCopyError',
      'AccidentalCopyError',
    ])
    expect(rest.slice(2)).to.deep.equal([[2, 0], 200, 60])
    expect(result.code).to.equal(0)
  })

  it('throws looks at pages, which stay as they were and can be sent', async function () {
    needsPages(this)
    const folder = await tempFolder()
    await writeFile(join(folder, 'from'), bytes(1, 200_000))
    const result = await run(
      'throw',
      `
      {
        const list = new BufferList()
        await list.spliceFrom({ file: folder + '/from' }, 200_000, { hold: 'pages' })
        told(await refused(() => list.cStr(0, 10)))
        told(await refused(() => list.cursor().readUInt8()))
        told(await refused(() => { for (const part of list) told(part.length) }))
        told(await list.spliceTo({ file: folder + '/to' }))
        told(list.cStr(70_000, 10, { intended: true }).length)
        list.release()
        told(addon.live().pipes - pipePool.idlePipes)
      }
      `,
      `const folder = ${JSON.stringify(folder)}`,
    )
    const told = lines(result)
    expect(told.slice(0, 3).map((it) => (it as Refusal).copyCause)).to.deep.equal([
      'cStr',
      'look',
      'look',
    ])
    expect(told.slice(3)).to.deep.equal([200_000, 10, 0])
  })

  it('refuses an operation that would copy before any byte moves: the bytes are all there', async () => {
    const result = await run(
      'throw',
      `
      const stream = new PassThrough()
      stream.write('0123456789')
      const list = new BufferList()
      async function pulls() { await list.spliceFrom(stream, 10) }
      told(await refused(pulls))
      told([list.length, await list.spliceFrom(stream, 10, { intended: true }), list.toString()])
      const { client, accepted, end } = await pair()
      client.write('abcdefghij')
      const peer = attach(accepted)
      told(await refused(() => peer.pull(10)))
      told((await peer.pull(10, { intended: true })).toString())
      await peer.detach()
      end()
      `,
    )
    const [first, then, second, last] = lines(result) as [Refusal, unknown, Refusal, unknown]
    expect(first).to.include({ name: 'AccidentalCopyError', copyCause: 'stream' })
    expect(first.site).to.match(/^pulls /)
    expect(then).to.deep.equal([0, 10, '0123456789'])
    if (hasPages) expect(second).to.include({ copyCause: 'threshold' })
    expect(last).to.equal('abcdefghij')
    expect(result.code).to.equal(0)
  })

  it('refuses what the kernel refuses, and hands back what was not sent', async function () {
    needsPages(this)
    const folder = await tempFolder()
    await writeFile(join(folder, 'from'), bytes(1, 100_000))
    const result = await run(
      'throw',
      `
      const list = new BufferList()
      await list.spliceFrom({ file: folder + '/from' }, 100_000, { hold: 'pages' })
      const { client, accepted, end } = await pair()
      let arrived = 0
      accepted.on('data', (chunk) => (arrived += chunk.length)).resume()
      addon.script([{ call: 'splice', errno: 22, times: 1 }])
      const error = await list.spliceTo(client, { consume: true }).catch((e) => e)
      addon.script(null)
      told([error.copyCause ?? error.cause?.copyCause, list.length])
      told(await list.spliceTo(client, { consume: true }))
      while (arrived < 100_000) await new Promise(setImmediate)
      list.release()
      end()
      `,
      `const folder = ${JSON.stringify(folder)}`,
    )
    expect(lines(result)).to.deep.equal([['fallback:EINVAL', 100_000], 100_000])
  })

  it('refuses what would be staged for a disk thread', async function () {
    needsAddon(this)
    const folder = await tempFolder()
    const result = await run(
      'throw',
      `
      const list = new BufferList(Buffer.alloc(10))
      told(await refused(() => list.spliceTo({ file: folder + '/to' })))
      told(await list.spliceTo({ file: folder + '/to' }, { intended: true }))
      `,
      `const folder = ${JSON.stringify(folder)}`,
    )
    const [refused, sent] = lines(result) as [Refusal, number]
    expect(refused).to.include({ copyCause: 'staging', bytes: 10 })
    expect(sent).to.equal(10)
  })

  it('ends the process for a copy that was made where nobody could refuse it', async () => {
    const result = await run(
      'throw',
      `
      import { ledger } from '#lib/audit/ledger.js'
      ledger.countCopied('staging', 10)
      told('counted')
      setTimeout(() => told('never'), 50)
      `,
    )
    expect(result.stdout).to.equal('"counted"\n')
    expect(result.code).to.equal(1)
    expect(result.stderr).to.match(/AccidentalCopyError.*10 bytes are copied by accident: staging/)
  })
})

describe('SPLICELIST_AUDIT', () => {
  it('of another value says what it takes, and changes nothing', async () => {
    const { stderr, stdout } = await run('loud', 'told(two().cStr().length)')
    expect(stdout).to.equal('100\n')
    expect(stderr).to.match(/SPLICELIST_AUDIT is 'warn' or 'throw', not 'loud'/)
  })

  it('unset, or empty, says nothing', async () => {
    const { stderr, stdout } = await run('', 'told(two().cStr().length)')
    expect([stdout, stderr]).to.deep.equal(['100\n', ''])
  })
})
