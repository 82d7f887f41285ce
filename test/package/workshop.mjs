/**
 * A temporary folder where packages are installed: with one Node in reach, no compiler (one that is
 * started springs a trap), and none of the caller's npm set-up but where packages come from.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Programs that building an addon would start. */
const compilers = [
  ...['cc', 'c++', 'gcc', 'g++', 'clang', 'clang++', 'make', 'gmake', 'cmake', 'ninja'],
  ...['python', 'python3', 'node-gyp', 'prebuildify'],
]
/** The variables that name compilers to build tools. */
const compilerVariables = { CC: 'cc', CXX: 'c++', MAKE: 'make', PYTHON: 'python3' }
/** What else a package manager may start. */
const shellTools = ['env', 'sed', 'sh', 'uname']
/** The variables that say how to reach the package registry. */
const networkVariables = ['NODE_EXTRA_CA_CERTS', 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']

/** Runs a program to its end. Resolves with what it printed; rejects, with all of it, on failure. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { maxBuffer: 64 << 20, ...options },
      (error, stdout, stderr) => {
        if (error === null) resolve({ stdout, stderr })
        else reject(new Error(`${command} ${args.join(' ')}: ${error.code}\n${stdout}${stderr}`))
      },
    )
    child.stdin.end()
  })
}

export class Workshop {
  #node
  #folder = mkdtempSync(join(tmpdir(), 'splicelist-package-'))
  #sprungTraps = join(this.#folder, 'sprung-traps')
  #environment

  /** Opens a workshop in which everything runs on one Node binary. */
  static async open(node = process.execPath) {
    const workshop = new Workshop()
    await workshop.#furnish(node)
    return workshop
  }

  async #furnish(node) {
    this.#node = node
    const tools = this.makeFolder('tools')
    symlinkSync(node, join(tools, 'node'))
    const trap = `#!/bin/sh\necho "$0 $*" >> '${this.#sprungTraps}'\nexit 1\n`
    for (const name of compilers) writeFileSync(join(tools, name), trap, { mode: 0o755 })
    for (const name of shellTools) {
      const { stdout } = await run('/bin/sh', ['-c', `command -v ${name}`])
      symlinkSync(stdout.trim(), join(tools, name))
    }
    const registry = await run('npm', ['config', 'get', 'registry'])
    this.#environment = { PATH: tools, HOME: this.#folder }
    for (const name of networkVariables) {
      if (process.env[name] !== undefined) this.#environment[name] = process.env[name]
    }
    for (const [name, compiler] of Object.entries(compilerVariables)) {
      this.#environment[name] = join(tools, compiler)
    }
    Object.assign(this.#environment, {
      npm_config_registry: registry.stdout.trim(),
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      npm_config_update_notifier: 'false',
    })
  }

  /** A new, empty folder in the workshop. */
  makeFolder(name) {
    const path = join(this.#folder, name)
    mkdirSync(path)
    return path
  }

  /** Runs a script on the workshop's Node. */
  node(args, cwd, env = {}) {
    return run(this.#node, args, { cwd, env: { ...this.#environment, ...env } })
  }

  /** Runs a shell command. */
  shell(command, cwd) {
    return run('/bin/sh', ['-c', command], { cwd, env: this.#environment })
  }

  /** The calls of compilers since this was asked last. */
  sprungTraps() {
    try {
      return readFileSync(this.#sprungTraps, 'utf8').trim().split('\n')
    } catch {
      return []
    } finally {
      rmSync(this.#sprungTraps, { force: true })
    }
  }

  /** Removes the folder and all that is in it. */
  close() {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
