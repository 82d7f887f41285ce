/**
 * Why bytes were copied: one exhaustive list. A cause that is not here cannot be counted, and a copy
 * without a cause does not compile.
 */
import type { CopyOptions } from '../contract.js'

/** A cause of a copy in the memory of the process. */
export type CopyCause =
  | 'cStr'
  | 'look'
  | 'load'
  | 'cross-segment'
  | 'append-copy'
  | 'encode'
  | 'compact'
  | 'to-buffer'
  | 'foreign-list'
  | 'threshold'
  | 'sparse-pages'
  | 'budget'
  | 'no-scratch'
  | 'no-addon'
  | 'copy-mode'
  | 'stable-mode'
  | 'stream'
  | 'append-file'
  | 'give-back'
  | 'staging'
  | 'fallback'
  | 'retired-pages'
  | 'fallback:EPERM'
  | 'fallback:EINVAL'
  | 'fallback:ENOSYS'
  | 'fallback:ENOTSUP'

/** Causes of copies into or within the process's memory, each with what it means. */
export const COPY_CAUSES: Readonly<Record<CopyCause, string>> = {
  cStr: 'bytes outside the heap were made readable in one piece by cStr()',
  look: 'bytes outside the heap were made readable for a cursor, an iteration or a search',
  load: 'bytes of a file were read into memory by load()',
  'cross-segment': 'several segments were joined into one piece of memory',
  'append-copy': 'the program asked for a copy by appendCopy(), or filled a hole',
  encode: 'the program handed in a string, which was encoded as UTF-8',
  compact: 'compact() freed small views of the large buffers behind them',
  'to-buffer': 'the program asked for a copy by toBuffer() or copyOut()',
  'foreign-list': 'a list of another copy of this package was taken over, which shares no memory',
  threshold: 'the bytes were too few to be worth a pipe',
  'sparse-pages': 'the pages in a pipe were too empty to be worth pinning',
  budget: 'the budget of pipes was used up',
  'no-scratch': 'no pipe was left, or none large enough, to tee into',
  'no-addon': 'there is no addon on this platform, or it was switched off',
  'copy-mode': "mode 'copy' was asked for",
  'stable-mode': "mode 'stable' was asked for, and others could have changed the pages",
  stream: 'a Node stream, or a TLS socket, carries bytes only in memory',
  'append-file': 'a file that was opened for appending takes no pages',
  'give-back': 'bytes that were pulled went back to a socket when it was detached',
  staging: 'memory of the program was copied before a disk thread wrote it',
  fallback: 'a system call refused to move pages here',
  'retired-pages': 'pages that were lent never provably came back, so they were replaced by a copy',
  'fallback:EPERM': 'a system call refused to move pages here: it is not permitted',
  'fallback:EINVAL':
    'a system call refused to move pages here: this kind of place takes or gives none',
  'fallback:ENOSYS': 'a system call refused to move pages here: this kernel does not have it',
  'fallback:ENOTSUP':
    'a system call refused to move pages here: this place does not support it, or, of a socket, an urgent byte is in the way',
}

/**
 * Copies that the program asked for in so many words. All others are accidents, unless the call that
 * made them said `{ intended: true }`.
 */
export const INTENDED: ReadonlySet<CopyCause> = new Set<CopyCause>([
  'append-copy',
  'encode',
  'compact',
  'to-buffer',
  'load',
  'copy-mode',
  'stable-mode',
])

/**
 * What a copy is counted under: its cause, and that the program said it meant this one.
 * @internal
 */
export type CopyReason = CopyCause | `intended:${CopyCause}`

/** What a look is counted under. @internal */
export type LookReason = 'look' | 'cStr' | 'intended:look' | 'intended:cStr'

/** A cause, as it is counted where the program said `{ intended: true }`, or did not. @internal */
export function reasonOf(cause: CopyCause, isIntended: boolean | undefined): CopyReason {
  return isIntended === true ? `intended:${cause}` : cause
}

/** As `reasonOf`, of a look. @internal */
export function lookReason(options: CopyOptions | undefined): LookReason {
  return options?.intended === true ? 'intended:look' : 'look'
}

/** Whether the program said of this copy that it meant it. @internal */
export function isMeant(reason: CopyReason): boolean {
  return reason.startsWith('intended:')
}

/** The cause alone. @internal */
export function causeOf(reason: CopyReason): CopyCause {
  return reason.replace('intended:', '') as CopyCause
}

/** The cause of a copy that a system call's refusal leads to. @internal */
export function fallbackCause(code: string): CopyCause {
  const cause = `fallback:${code}`
  return cause in COPY_CAUSES ? (cause as CopyCause) : 'fallback'
}

/** A cause of a copy inside the kernel. */
export type KernelCause = 'page-cache-write' | 'socket-write' | 'pipe-write' | 'device-read'

/** Causes of copies that the kernel is known to make, each with what it means. */
export const KERNEL_CAUSES: Readonly<Record<KernelCause, string>> = {
  'page-cache-write': 'a buffered file takes pages by copying them into its page cache',
  'socket-write': 'memory of the process was copied into socket buffers',
  'pipe-write': 'memory of the process was copied into pipe pages',
  'device-read': 'a device made fresh pages and copied into them',
}
