import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { runChild, type ChildResult } from '../support/children.js'
import { tempFolder } from '../support/folders.js'

/** bl's tests hold a million lists against a leak of memory, one after the other. */
const SUITE_MS_MAX = 120_000
/** bl 7.0.13 has 785: fewer would be another suite, or a part of it. */
const ASSERTIONS_MIN = 700

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.resolve('bl')))
const hooks = new URL('hooks.js', import.meta.url).href

/** Runs one of bl's own test files, as it was published, against the drop-in. */
async function runOwn(file: string, env: NodeJS.ProcessEnv = {}): Promise<ChildResult> {
  const TMPDIR = await tempFolder()
  return runChild(process.execPath, ['--import', hooks, path(`test/${file}`)], {
    cwd: TMPDIR,
    // Memory alone is tested here, at the speed of memory: no sanitizer need watch.
    env: { TMPDIR, SPLICELIST_NATIVE: '0', LD_PRELOAD: undefined, ...env },
  })
}

/** What a run of tape says of itself, and what its lines say. */
function account(tap: string): Record<string, number> {
  const count = (line: RegExp): number => [...tap.matchAll(line)].length
  const said = (line: RegExp): number => Number(line.exec(tap)?.[1] ?? 0)
  return {
    planned: said(/^1\.\.(\d+)$/m),
    tests: said(/^# tests (\d+)$/m),
    passed: said(/^# pass +(\d+)$/m),
    failed: said(/^# fail +(\d+)$/m),
    ok: count(/^ok /gm),
    notOk: count(/^not ok /gm),
  }
}

const standsIn = (tap: string): number => tap.split('# the drop-in stands in for bl\n').length - 1

function expectAllPassed({ code, stdout, stderr }: ChildResult): number {
  const { ok = 0, ...rest } = account(stdout)
  const failures = stdout.match(/^not ok .*/gm) ?? []
  expect(failures, stderr).to.deep.equal([])
  expect(rest).to.deep.equal({ planned: ok, tests: ok, passed: ok, failed: 0, notOk: 0 })
  expect(standsIn(stdout), 'how often the drop-in was loaded').to.equal(1)
  expect(code, stderr).to.equal(0)
  return ok
}

describe("bl's own tests, as published, against the drop-in", function () {
  this.timeout(SUITE_MS_MAX)

  it('pass, every assertion of them', async () => {
    const run = await runOwn('test.js')
    const passed = expectAllPassed(run)
    expect(passed).to.be.greaterThan(ASSERTIONS_MIN)
    console.log(`      ${passed} assertions passed, none failed`)
  })

  it('pass where they check that the methods of its types are there', async () => {
    const passed = expectAllPassed(await runOwn('verify-types.js'))
    expect(passed).to.be.greaterThan(50)
    console.log(`      ${passed} assertions passed, none failed`)
  })

  for (const method of ['slice', 'readUInt16BE']) {
    it(`fail where ${method} is broken: they do test the drop-in`, async () => {
      const { code, stdout } = await runOwn('test.js', { BREAK: method })
      expect(standsIn(stdout)).to.equal(1)
      const { ok, notOk, planned } = account(stdout)
      expect(ok).to.be.greaterThan(0)
      // An exception breaks it off before the account.
      if (planned !== 0) expect(notOk).to.be.greaterThan(0)
      expect(code).not.to.equal(0)
    })
  }
})
