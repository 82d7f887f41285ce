/** The files and the folder of a run. */
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** Where in the pattern a spoiled target begins: nowhere that a transfer would. */
const SPOILED = 524_287

/** Files of the pattern, which exist and are cached before anything is measured. */
export class Workplace {
  readonly #peer: string
  readonly #dir: string
  #runs = 0

  private constructor(peer: string, dir: string) {
    this.#peer = peer
    this.#dir = dir
  }
  /** In TMPDIR. Two files of the largest size have to fit there, and into the memory. */
  static async make(peer: string): Promise<Workplace> {
    return new Workplace(peer, await mkdtemp(join(tmpdir(), 'splicelist-bench-')))
  }
  /** A fresh folder for one run, with its files, where it has any. */
  async folder(files: readonly ('source' | 'sink')[], bytes: number): Promise<string> {
    this.#runs += 1
    const folder = await mkdtemp(join(this.#dir, `${this.#runs}-`))
    for (const name of files) {
      const path = join(this.#dir, name)
      if ((await lengthOf(path)) !== bytes) await this.#fill(path, bytes, 0)
      await symlink(path, join(folder, name))
    }
    return folder
  }
  async leave(folder: string): Promise<void> {
    await rm(folder, { recursive: true })
  }
  /** Makes every byte of the sink wrong: what a run does not write is found. */
  async spoil(folder: string, bytes: number): Promise<void> {
    await this.#fill(join(folder, 'sink'), bytes, SPOILED)
  }
  /** Throws unless the sink is the pattern from there on. */
  async check(folder: string, bytes: number, begin: number): Promise<void> {
    await run(this.#peer, ['check', join(folder, 'sink'), String(bytes), String(begin)])
  }
  /** At once, for it is the last thing that a process does. */
  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true })
  }

  async #fill(path: string, bytes: number, begin: number): Promise<void> {
    await run(this.#peer, ['fill', path, String(bytes), String(begin)])
  }
}

async function lengthOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  )
}
