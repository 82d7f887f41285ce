/**
 * The linter keeps bytes from being copied where the ledger does not see it.
 */
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { ESLint } from 'eslint'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const RULE = 'splicelist/no-uncounted-copy'

const linter = new ESLint({ cwd: ROOT, ruleFilter: ({ ruleId }) => ruleId === RULE })

/** What the rule says of a function's body, as if a file of lib/ were that. */
async function complaintsOf(body: string, path: string): Promise<string[]> {
  const code = `export function f(a: Uint8Array, b: Buffer, s: string): unknown { ${body} }\n`
  const [result] = await linter.lintText(code, { filePath: `${ROOT}${path}` })
  const messages = result?.messages ?? []
  for (const { fatal, message } of messages) if (fatal === true) throw new Error(message)
  return messages.filter(({ ruleId }) => ruleId === RULE).map(({ message }) => message)
}

describe('The linter', function () {
  // It reads the types of all of lib/ first.
  this.timeout(120_000)

  const copying = [
    'b.copy(a)',
    'a.set(b, 0)',
    'b.set(a)',
    'a.copyWithin(0, 1)',
    'return a.slice(1)',
    'return Uint8Array.prototype.slice.call(b, 1)',
    'Uint8Array.prototype.set.call(a, b, 0)',
    'Buffer.prototype.copy.apply(b, [a])',
    'b.write(s)',
    'b.fill(s)',
    'b.fill(a)',
    'return new TextEncoder().encode(s)',
    'return new TextEncoder().encodeInto(s, a)',
    'return a.buffer.slice(0)',
    'return structuredClone(a)',
    'return Buffer.concat([a, b])',
    'return Buffer.from(s)',
    'return Buffer.from(a)',
    'return Buffer.copyBytesFrom(a)',
    'return Uint8Array.from(a)',
    'return new Uint8Array(a)',
    'return new Uint8Array([1, 2])',
  ]
  for (const body of copying) {
    it(`refuses in lib/: ${body}`, async () => {
      const complaints = await complaintsOf(body, 'lib/list/buffer-view.ts')
      expect(complaints).to.have.lengthOf(1)
    })
  }

  const sharing = [
    'return a.subarray(1)',
    'return new Uint8Array(a.buffer, 1, 2)',
    'return Buffer.from(a.buffer)',
    'return new Uint8Array(16)',
    'return structuredClone(a, { transfer: [a.buffer] })',
    'return Buffer.allocUnsafe(16)',
    'return b.readUInt8(0)',
    'return b.toString()',
    'return a.fill(0)',
    'return [a].slice(0)',
    'return new Set([1]).size',
  ]
  it('lets pass what shares memory, or makes some that is empty', async () => {
    for (const body of sharing) {
      expect(await complaintsOf(body, 'lib/list/buffer-view.ts'), body).to.deep.equal([])
    }
  })

  it('lets the ledger copy, and no other floor of lib/', async () => {
    expect(await complaintsOf('a.set(b)', 'lib/audit/ledger.ts')).to.deep.equal([])
    for (const path of ['raw/raw.ts', 'transfer/plan.ts', 'endpoints/end.ts', 'bl/held.ts']) {
      expect(await complaintsOf('a.set(b)', `lib/${path}`), path).to.have.lengthOf(1)
    }
  })
})
