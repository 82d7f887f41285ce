// Packs Splicelist as a release would, installs the tarball into empty projects with npm 10, 11 and
// 12, with and without install scripts, and uses it there: with no compiler in reach, and without a
// word of warning from npm. Then TypeScript programs are compiled against it.
//
//     npm run test:package
//
// npm 12 needs Node 22.22 or later. Under an older Node, NODE_24 names the binary of a later one;
// without it those checks are skipped.
import assert from 'node:assert/strict'
import { cpSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Checks } from './checks.mjs'
import { Publisher } from './publisher.mjs'
import { run, Workshop } from './workshop.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const projectFiles = fileURLToPath(new URL('project', import.meta.url))
const platform = `${process.platform}-${process.arch}`
const npmMajors = [10, 11, 12]
const typeScripts = ['6.0', '7.0']
/** Programs that use the package once it is installed, and what they print. */
const programs = {
  'by-import.mjs': 'moved by reference',
  'by-require.cjs': 'moved by reference',
  'bl-by-import.mjs': 'collected and sent',
  'bl-by-require.cjs': 'collected and sent',
  'doctor.mjs': 'tried this folder',
}
/** TypeScript programs, and the settings for the module system that each is written for. */
const typedPrograms = [
  ['typed.mts', '--module', 'nodenext'],
  ['typed.cts', '--module', 'nodenext'],
  ['typed.mts', '--module', 'esnext', '--moduleResolution', 'bundler'],
  ['typed-bl.mts', '--module', 'nodenext'],
  ['typed-bl.cts', '--module', 'nodenext'],
  ['typed-bl.mts', '--module', 'esnext', '--moduleResolution', 'bundler'],
]

const checks = new Checks()
const packing = await Workshop.open()
try {
  const tarball = await pack()
  await checkTarball(tarball)
  for (const major of npmMajors) await checkNpm(major, tarball)
  await checkTypes(tarball)
} finally {
  packing.close()
}
checks.end()

/** Runs `npm pack` as a release would, with this machine's npm and compilers. */
async function pack() {
  const folder = packing.makeFolder('packed')
  await run('npm', ['pack', '--pack-destination', folder], { cwd: root })
  const tarballs = readdirSync(folder)
  assert.equal(tarballs.length, 1)
  return join(folder, tarballs[0])
}

/** What is in the tarball, and nothing else. */
async function checkTarball(tarball) {
  checks.heading('The tarball')
  const unpacked = packing.makeFolder('unpacked')
  await run('tar', ['-xzf', tarball, '-C', unpacked])
  const listing = await run('tar', ['-tzf', tarball])
  const paths = listing.stdout.trim().split('\n')
  const names = paths.map((path) => path.replace(/^package\//, '')).sort()
  const binaries = names.filter((name) => /^prebuilds\/[\w-]+\/splicelist\.\w+\.node$/.test(name))

  await checks.check('holds the library, its pages and its binaries, nothing else', () => {
    const modules = readdirSync(join(root, 'lib'), { recursive: true })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `dist/${file.replace(/\.ts$/, '')}`)
    const expected = [
      ...['ARCHITECTURE.md', 'CEPH.md', 'LICENSE', 'README.md', 'package.json', ...binaries],
      ...modules.flatMap((module) => [`${module}.d.ts`, `${module}.js`, `${module}.js.map`]),
    ]
    assert.deepEqual(names, expected.sort())
  })
  await checks.check(`holds one binary for ${platform}`, () => {
    assert.equal(binaries.filter((name) => name.startsWith(`prebuilds/${platform}/`)).length, 1)
  })
  await checks.check('names no folder of the machine that made it', () => {
    assert.deepEqual(
      paths.filter((path) => readFileSync(join(unpacked, path)).includes(root)),
      [],
    )
  })
  await checks.check('publint has nothing to say', async () => {
    const publint = join(root, 'node_modules/publint/src/cli.js')
    await run(process.execPath, [publint, 'run', '--strict', tarball])
  })
}

/** Publishing, installing and using the package with one npm. */
async function checkNpm(major, tarball) {
  const node = nodeFor(major)
  if (node === undefined) {
    checks.skip(`npm ${major}`, 'no Node late enough; see NODE_24')
    return
  }
  const workshop = await Workshop.open(node)
  try {
    const cli = await getNpm(major, workshop)
    const npm = (args, cwd) => workshop.node([cli, ...args], cwd)
    const versions = await Promise.all([
      npm(['--version'], root),
      workshop.node(['--version'], root),
    ])
    checks.heading(`npm ${versions.map(({ stdout }) => stdout.trim()).join(' on Node ')}`)

    await checks.check('a compiler that is started springs a trap', async () => {
      await assert.rejects(workshop.shell('make || "$CXX" x.cc', root))
      assert.equal(workshop.sprungTraps().length, 2)
    })
    await checkPublishing(npm)
    await checkProject(workshop, npm, tarball, [])
    await checkProject(workshop, npm, tarball, ['--ignore-scripts'])
  } finally {
    workshop.close()
  }
}

/** A Node that an npm runs on, or undefined where there is none. */
function nodeFor(npmMajor) {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const isLate = major > 22 || (major === 22 && minor >= 22)
  return npmMajor < 12 || isLate ? process.execPath : process.env.NODE_24
}

async function getNpm(major, workshop) {
  const folder = workshop.makeFolder('npm')
  const quiet = ['--no-audit', '--no-fund', '--no-package-lock']
  await run('npm', ['install', '--prefix', folder, ...quiet, `npm@${major}`], { cwd: folder })
  return join(folder, 'node_modules/npm/bin/npm-cli.js')
}

/** npm adds an install script to what it publishes where it sees a binding.gyp: not here. */
async function checkPublishing(npm) {
  const publisher = new Publisher()
  const address = await publisher.listen()
  try {
    await checks.check('what it publishes asks nobody to build', async () => {
      const registry = [`--registry=http://${address}`, `--//${address}/:_authToken=none`]
      await npm(['publish', '--ignore-scripts', ...registry], root)
      const [version] = Object.values(publisher.published.versions)
      assert.equal(version.gypfile, false)
      assert.equal(version.hasInstallScript, undefined)
      assert.deepEqual(
        Object.keys(version.scripts).filter((name) => name.endsWith('install')),
        [],
      )
    })
  } finally {
    publisher.close()
  }
}

/** An empty project that installs the tarball and uses it. */
async function checkProject(workshop, npm, tarball, flags) {
  const title = flags.join(' ') || 'with scripts'
  const project = workshop.makeFolder(`project ${title}`)
  cpSync(projectFiles, project, { recursive: true })

  await checks.check(`${title}: installs without a warning`, async () => {
    const said = await npm(['install', ...flags, tarball], project)
    assert.match(said.stdout, /^\s*added 2 packages in \w+\s*$/)
    assert.equal(said.stderr, '')
  })
  await checks.check(`${title}: installs from the lock file without a warning`, async () => {
    const said = await npm(['ci', ...flags], project)
    assert.match(said.stdout, /^\s*added 2 packages in \w+\s*$/)
    assert.equal(said.stderr, '')
  })
  await checks.check(`${title}: starts no compiler`, () => {
    assert.deepEqual(workshop.sprungTraps(), [])
  })
  await checks.check(`${title}: npx splicelist --help says how the doctor is used`, async () => {
    // npm 12 notices what it runs.
    const args = ['exec', '--offline', '--loglevel=warn', '--', 'splicelist', '--help']
    const said = await npm(args, project)
    assert.match(said.stdout, /^Usage: splicelist doctor/)
    assert.equal(said.stderr, '')
  })
  for (const [program, printed] of Object.entries(programs)) {
    for (const only of ['', '1']) {
      const how = `${program}${only === '' ? '' : ' with PREBUILDS_ONLY=1'}`
      await checks.check(`${title}: ${how} says: ${printed}`, async () => {
        const said = await workshop.node([program], project, { PREBUILDS_ONLY: only })
        assert.deepEqual(said, { stdout: `${printed}\n`, stderr: '' })
      })
    }
  }
}

/** TypeScript programs with no `types` setting, which TypeScript 6 and later take for none. */
async function checkTypes(tarball) {
  checks.heading('TypeScript programs that use it')
  const project = packing.makeFolder('typed')
  cpSync(projectFiles, project, { recursive: true })
  const aliases = typeScripts.map((version) => `typescript-${version}@npm:typescript@~${version}`)
  const quiet = ['--no-audit', '--no-fund', '--no-package-lock']
  await run('npm', ['install', ...quiet, tarball, '@types/node@20', ...aliases], { cwd: project })
  const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022']
  for (const version of typeScripts) {
    const compiler = join(project, `node_modules/typescript-${version}/bin/tsc`)
    for (const [program, ...settings] of typedPrograms) {
      await checks.check(`${program} ${settings.join(' ')}, TypeScript ${version}`, async () => {
        await run(process.execPath, [compiler, ...options, ...settings, program], { cwd: project })
      })
    }
  }
}
