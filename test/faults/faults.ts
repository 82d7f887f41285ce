/**
 * Faults of the kernel, as rules of a script: at which of its calls, and what may come of it.
 */
import { constants } from 'node:os'
import type { ScriptRule } from '#lib/native.js'

const { errno } = constants
/** More calls than any operation here makes. */
const ALWAYS = 1e6

/** A fault as a step of a random run: where in the calls, and what may come of it. */
export interface FaultStep {
  readonly kind: 'fault'
  readonly call: string
  /** Cuts calls to so many bytes, or fails them. */
  readonly fault: number | 'EAGAIN' | 'EINTR' | 'EINVAL' | 'EIO'
  readonly skip: number
  readonly times: number
}

/** The rule of a step, for the script. */
export function ruleOf({ call, fault, skip, times }: FaultStep): ScriptRule {
  const rule = { call, skip, times }
  return typeof fault === 'number' ? { ...rule, maxBytes: fault } : { ...rule, errno: errno[fault] }
}

/** One way for a system call to go wrong. */
export interface Fault {
  readonly name: string
  /** The error number, and Node's name of it; undefined where the call only does less. */
  readonly code?: keyof typeof errno
  /** How many calls it meets in a row. */
  readonly times?: number
  /** What the calls are cut to, in bytes. */
  readonly maxBytes?: number
  /** Whether nothing but time may be lost: the operation succeeds. */
  readonly isHarmless: boolean
  /** Whether it is an answer to the page, not to the bytes: a copy may still do. */
  readonly isRefusal?: boolean
}

const harmless = (name: string, fault: Partial<Fault>): Fault => ({
  name,
  isHarmless: true,
  ...fault,
})
/** Twice: a disk job that has moved bytes leaves it to the next to say why there are no more. */
const broken = (code: keyof typeof errno): Fault => ({
  name: code,
  code,
  times: 2,
  isHarmless: false,
})
const refusal = (code: keyof typeof errno): Fault => ({ ...broken(code), isRefusal: true })

/** Calls that bytes pass through. */
export const DATA_CALLS: readonly string[] = [
  'splice',
  'sendfile',
  'copy_file_range',
  'tee',
  'read',
  'pread',
  'write',
  'pwrite',
  'recv',
  'sendmsg',
  'writev',
]
/** Calls by which bytes that a file has taken come to its disk: the operation is not over before. */
export const FLUSH_CALLS: readonly string[] = ['fsync', 'fdatasync', 'sync_file_range']
const FLUSH_FAULTS: readonly Fault[] = [
  harmless('EINTR', { code: 'EINTR', times: 3 }),
  broken('EIO'),
  broken('ENOSPC'),
  broken('EDQUOT'),
  broken('ENOMEM'),
]
const DATA_FAULTS: readonly Fault[] = [
  harmless('EINTR', { code: 'EINTR', times: 3 }),
  harmless('EAGAIN', { code: 'EAGAIN', times: 2 }),
  harmless('one byte at a time', { maxBytes: 1, times: 3 }),
  harmless('a page and a bit at a time', { maxBytes: 4099, times: 7 }),
  broken('EIO'),
  broken('ENOSPC'),
  broken('EDQUOT'),
  broken('EPIPE'),
  broken('ECONNRESET'),
  broken('ENOMEM'),
  refusal('EINVAL'),
  refusal('EPERM'),
  refusal('ENOSYS'),
]
/** Faults of the calls that prepare, by call. */
const OTHER_FAULTS: Readonly<Record<string, readonly Fault[]>> = {
  pipe2: [
    harmless('EMFILE', { code: 'EMFILE' }),
    harmless('EMFILE for good', { code: 'EMFILE', times: ALWAYS }),
    harmless('ENFILE for good', { code: 'ENFILE', times: ALWAYS }),
    harmless('ENOMEM', { code: 'ENOMEM' }),
  ],
  fcntl: [
    harmless('EPERM', { code: 'EPERM' }),
    harmless('EPERM for good', { code: 'EPERM', times: ALWAYS }),
    harmless('EBUSY', { code: 'EBUSY' }),
    harmless('ENOMEM for good', { code: 'ENOMEM', times: ALWAYS }),
    harmless('pipes of 2 slots', { maxBytes: 8192, times: ALWAYS }),
    harmless('pipes of 1 slot', { maxBytes: 4096, times: ALWAYS }),
  ],
  fcntl_dupfd: [broken('EMFILE')],
  fstat: [broken('EIO'), broken('ENOMEM')],
  fstatfs: [broken('EIO')],
  lseek: [broken('EIO')],
  epoll_ctl: [harmless('ENOMEM', { code: 'ENOMEM' }), harmless('ENOSPC', { code: 'ENOSPC' })],
  setsockopt: [harmless('ENOMEM', { code: 'ENOMEM' }), harmless('EINVAL', { code: 'EINVAL' })],
  getsockopt: [
    harmless('ENOPROTOOPT', { code: 'ENOPROTOOPT' }),
    harmless('EINVAL', { code: 'EINVAL' }),
  ],
  sockatmark: [harmless('EINVAL', { code: 'EINVAL' }), harmless('ENOTTY', { code: 'ENOTTY' })],
  ioctl: [harmless('EINVAL', { code: 'EINVAL' }), harmless('ENOTTY', { code: 'ENOTTY' })],
  mmap: [harmless('ENOMEM', { code: 'ENOMEM' })],
  // What does not go into pipes stays in memory of the list.
  vmsplice: [
    harmless('EINTR', { code: 'EINTR', times: 3 }),
    harmless('EAGAIN', { code: 'EAGAIN', times: 2 }),
    harmless('a page and a bit at a time', { maxBytes: 4099, times: 7 }),
    harmless('EINVAL', { code: 'EINVAL' }),
    harmless('ENOMEM', { code: 'ENOMEM' }),
    harmless('EPERM for good', { code: 'EPERM', times: ALWAYS }),
  ],
  // The kernel's notice of lent memory is read late, or never: then its pages are retired.
  recvmsg: [
    harmless('EINTR', { code: 'EINTR', times: 3 }),
    harmless('EAGAIN', { code: 'EAGAIN' }),
    harmless('ENOMEM for good', { code: 'ENOMEM', times: ALWAYS }),
  ],
  fsync: FLUSH_FAULTS,
  fdatasync: FLUSH_FAULTS,
  // Where there is no such call, another does the same.
  sync_file_range: [
    ...FLUSH_FAULTS,
    harmless('EINVAL', { code: 'EINVAL' }),
    harmless('ENOSYS', { code: 'ENOSYS' }),
  ],
  // What does not leave the page cache stays there.
  posix_fadvise: [harmless('EIO', { code: 'EIO', times: ALWAYS })],
  statx: [
    harmless('ENOSYS', { code: 'ENOSYS' }),
    harmless('EIO', { code: 'EIO' }),
    harmless('no direct way', { maxBytes: 0 }),
  ],
  poll: [harmless('ENOMEM', { code: 'ENOMEM' }), harmless('EINTR', { code: 'EINTR' })],
}

/** What may go wrong with a call. */
export function faultsOf(call: string): readonly Fault[] {
  return DATA_CALLS.includes(call) ? DATA_FAULTS : (OTHER_FAULTS[call] ?? [])
}

/** The script of a run: calls move at most `cutBytes`, and one of them meets the fault. */
export function scriptOf(
  cutBytes: number,
  faulty?: { readonly call: string; readonly index: number; readonly fault: Fault },
): ScriptRule[] {
  const rules: ScriptRule[] = []
  for (const call of DATA_CALLS) {
    // A tee is short only where there is no room.
    if (call === 'tee') {
      if (faulty?.call === call) rules.push(...met(faulty))
      continue
    }
    if (faulty?.call === call) rules.push(...met(faulty, cutBytes))
    rules.push({ call, maxBytes: cutBytes, times: ALWAYS })
  }
  if (faulty !== undefined && !DATA_CALLS.includes(faulty.call)) rules.push(...met(faulty))
  return rules
}

function met(
  { call, index, fault }: { readonly call: string; readonly index: number; readonly fault: Fault },
  cutBytes?: number,
): ScriptRule[] {
  const { code, maxBytes, times = 1 } = fault
  const rule = {
    call,
    times,
    ...(code === undefined ? {} : { errno: errno[code] }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  }
  if (cutBytes === undefined) return [{ ...rule, skip: index }]
  return index === 0 ? [rule] : [{ call, maxBytes: cutBytes, times: index }, rule]
}
