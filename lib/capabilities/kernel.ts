/**
 * Probes of this kernel, each by doing: with files in memory, pipes and sockets of our own. Nothing
 * outside the process is touched. Each takes about ten system calls.
 */
import type { Descriptor, Pipe } from '../native.js'
import { opened } from '../reactor.js'
import { PAGE_BYTES } from '../raw/pipe-pool.js'
import { attempt, type Trial, type Verdict } from './trial.js'

/** One page of a file moves to a place; −errno where it does not. */
function moveTo(file: Descriptor, to: Descriptor | Pipe): number {
  return opened().move(file, 0, to, -1, PAGE_BYTES, false)
}

/**
 * splice from a file into a pipe: what holding pages of a file is made of. `through` is another
 * descriptor of the same file, to splice from.
 */
export function fileToPipe(trial: Trial, file: Descriptor, through = file): Verdict {
  const pipe = trial.pipe()
  trial.writeOld(file)
  trial.pass(moveTo(through, pipe))
  return trial.verdictOf(file, pipe)
}

function tee(trial: Trial): Verdict {
  const [file, from, to] = [trial.memoryFile(), trial.pipe(), trial.pipe()]
  trial.writeOld(file)
  trial.prepare(moveTo(file, from))
  trial.pass(opened().tee(from, to, PAGE_BYTES))
  return trial.verdictOf(file, to)
}

function vmsplice(trial: Trial): Verdict {
  const [slab, pipe] = [trial.slab(), trial.pipe()]
  const memory = trial.oldMemory(slab)
  trial.pass(opened().vmsplice(slab, 0, PAGE_BYTES, pipe))
  memory.renew()
  return trial.verdict(pipe)
}

function fileToSocket(trial: Trial): Verdict {
  const [file, [near, far]] = [trial.memoryFile(), trial.socketPair()]
  trial.writeOld(file)
  trial.pass(moveTo(file, near))
  return trial.verdictOf(file, far)
}

function pipeToSocket(trial: Trial): Verdict {
  const [file, pipe, [near, far]] = [trial.memoryFile(), trial.pipe(), trial.socketPair()]
  trial.writeOld(file)
  trial.prepare(moveTo(file, pipe))
  trial.pass(opened().move(pipe, -1, near, -1, PAGE_BYTES, false))
  return trial.verdictOf(file, far)
}

/** Bytes arrive by reference, or it cannot be seen whether this step passes references on. */
function socketToPipe(trial: Trial): Verdict {
  const [file, pipe, [near, far]] = [trial.memoryFile(), trial.pipe(), trial.socketPair()]
  trial.writeOld(file)
  trial.prepare(moveTo(file, near))
  trial.pass(opened().move(far, -1, pipe, -1, PAGE_BYTES, false))
  const verdict = trial.verdictOf(file, pipe)
  return verdict === 'copy' && fileToSocketVerdict() !== 'reference' ? 'unknown' : verdict
}

function fileToSocketVerdict(): Verdict {
  return attempt(fileToSocket)
}

/** The names of what is probed, and how. */
export const KERNEL_PROBES = {
  fileToPipe: (trial: Trial) => fileToPipe(trial, trial.memoryFile()),
  tee,
  vmsplice,
  fileToSocket,
  pipeToSocket,
  socketToPipe,
} as const satisfies Record<string, (trial: Trial) => Verdict>
