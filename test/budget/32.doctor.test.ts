import { chmod, readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { capabilities } from 'splicelist'
import { runChild, type ChildOptions } from '../support/children.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'
import { NOBODY } from '../support/nobody.js'

const program = fileURLToPath(new URL('../../../dist/doctor/main.js', import.meta.url))

function doctor(args: readonly string[], options: ChildOptions = {}) {
  return runChild(process.execPath, [program, ...args], options)
}

interface Told {
  readonly version: string
  readonly whyNoAddon?: string
  readonly isPrivileged: boolean
  readonly capabilities: Record<string, string | number>
  readonly mounts: readonly {
    path: string
    verdicts?: Record<string, string>
    problem?: string
  }[]
  readonly remedies: readonly { problem: string; remedy: string }[]
}

async function told(args: readonly string[], options: ChildOptions = {}) {
  const { code, stdout, stderr } = await doctor(['doctor', '--json', ...args], options)
  expect(stderr).to.equal('')
  return { code, told: JSON.parse(stdout) as Told }
}

const remediesOf = ({ remedies }: Told): string =>
  remedies.map(({ problem, remedy }) => `${problem}: ${remedy}`).join('\n')

describe('splicelist doctor', () => {
  it('says how it is used', async () => {
    const { code, stdout, stderr } = await doctor(['--help'])
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
    expect(stdout).to.match(/^Usage: splicelist doctor \[--json\] \[PATH…\]/)
    for (const word of ['--json', '--help', 'Exit status', 'Without a PATH nothing is written']) {
      expect(stdout).to.include(word)
    }
    expect((await doctor(['doctor', '-h'])).stdout).to.equal(stdout)
  })

  it('says how it is used where it was not understood, with status 2', async () => {
    for (const wrong of [[], ['nurse'], ['doctor', '--loud']]) {
      const { code, stdout, stderr } = await doctor(wrong)
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' })
      expect(stderr).to.include('Usage: splicelist doctor')
    }
  })

  it('shows a table of what moves how, the limits, and what to change', async function () {
    needsAddon(this)
    const folder = await tempFolder()
    const { stdout, stderr } = await doctor(['doctor', folder])
    expect(stderr).to.equal('')
    expect(stdout).to.match(/^splicelist \d+\.\d+\.\d+, node v\d+/)
    for (const row of [
      /^The addon is there\.$/m,
      /^ {2}pipe to pipe, again \(tee\) +by reference$/m,
      /^ {2}pipe to socket \(splice\) +by reference$/m,
      /^Files of .*splicelist-test-/m,
      /^ {2}pipe to file \(splice\) +copied by the kernel$/m,
      /^ {2}slots of pipes \(SPLICELIST_PIPE_SLOTS\) +[\d,]+$/m,
      /^ {2}descriptors \(ulimit -n\) +[\d,]+$/m,
      /^What to change$/m,
    ]) {
      expect(stdout).to.match(row)
    }
    expect(await readdir(folder)).to.deep.equal([])
  })

  it('tells machines the same, and by its status whether all is by reference', async function () {
    needsAddon(this)
    const folder = await tempFolder()
    const { code, told: found } = await told([folder, folder])
    const here = await capabilities()
    expect(found.capabilities).to.deep.include({ tee: here.tee, openFilesMax: here.openFilesMax })
    expect(found.mounts).to.have.length(2)
    expect(found.mounts[0]).to.deep.include({ path: folder })
    expect(found.mounts[0]?.verdicts).to.include({ mountPipeToFile: 'copy' })
    expect(found).not.to.have.property('whyNoAddon')
    const ways = ['fileToPipe', 'tee', 'vmsplice', 'fileToSocket', 'pipeToSocket', 'socketToPipe']
    const isAll = ways.every((name) => found.capabilities[name] === 'reference')
    expect(code).to.equal(isAll ? 0 : 1)
  })

  it('works without the addon, and says what to do about it, with status 1', async () => {
    const env = { SPLICELIST_NATIVE: '0' }
    const { code, told: found } = await told(['/tmp'], { env })
    expect(code).to.equal(1)
    expect(found.whyNoAddon).to.include('SPLICELIST_NATIVE=0')
    expect(found.capabilities).to.include({ fileToPipe: 'absent', tee: 'absent' })
    expect(remediesOf(found)).to.match(/Every byte is copied.*Unset SPLICELIST_NATIVE/)
    const { stdout } = await doctor(['doctor'], { env })
    expect(stdout).to.match(/There is no addon: SPLICELIST_NATIVE=0.*\n/)
  })

  it('names a path that cannot be tried, and tries the others, with status 2', async function () {
    needsAddon(this)
    const { code, told: found } = await told(['/not/there', '/proc', await tempFolder()])
    expect(code).to.equal(2)
    const [missing, procfs, folder] = found.mounts
    expect(missing?.problem).to.include('/not/there').and.include('ENOENT')
    expect(procfs?.problem).to.match(/no file can be made there \(\w+\)/)
    expect(folder?.verdicts).to.be.an('object')
  })

  it('tells an unprivileged user which limits bind it, and how to raise them', async function () {
    needsAddon(this)
    if (process.getuid?.() !== 0) return this.skip()
    const folder = await tempFolder()
    await chmod(folder, 0o777)
    try {
      await runChild(process.execPath, ['--version'], NOBODY)
    } catch {
      // Node itself lies where they cannot look.
      return this.skip()
    }
    const { told: found } = await told([folder], NOBODY)
    expect(found.isPrivileged).to.equal(false)
    const soft = Number(found.capabilities['pipeUserPagesSoft'])
    if (soft > 0 && soft < 65_536) {
      expect(found.capabilities['pipeSlots']).to.equal(Math.floor(soft * 0.75))
      expect(remediesOf(found)).to.match(/sysctl -w fs\.pipe-user-pages-soft=\d+/)
    }
    expect(await readdir(folder)).to.deep.equal([])
  })

  it('is not deceived by the root of a user namespace, whom the limits bind', async function () {
    needsAddon(this)
    const inside = ['--user', '--map-root-user', process.execPath, program, 'doctor', '--json']
    const result = await runChild('unshare', inside).catch(() => undefined)
    if (result === undefined || result.stdout === '') return this.skip()
    expect((JSON.parse(result.stdout) as Told).isPrivileged).to.equal(false)
  })

  it('says how to get more descriptors where there are few', async function () {
    needsAddon(this)
    const script = `ulimit -n 256 && exec "$0" "$@"`
    const args = ['-c', script, process.execPath, program, 'doctor', '--json']
    const { stdout } = await runChild('/bin/sh', args)
    const found = JSON.parse(stdout) as Told
    expect(found.capabilities).to.include({ openFilesMax: 256, pipes: 64 })
    expect(remediesOf(found)).to.match(/256 descriptors.*ulimit -n/)
  })

  it('is the program that the package installs', async () => {
    const { default: manifest } = (await import('splicelist/package.json', {
      with: { type: 'json' },
    })) as { default: { bin: Record<string, string> } }
    expect(manifest.bin).to.deep.equal({ splicelist: './dist/doctor/main.js' })
  })
})
