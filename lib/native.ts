/**
 * The typed door to the addon, and what happens where there is none.
 *
 * The addon is mechanism only: about two dozen thin calls over one table of system calls. It decides
 * nothing. Every call that can fail returns a count of bytes, an object, or `−errno`; none throws
 * for what the kernel said. A wrong argument type is a bug of ours and does throw.
 *
 * No call in this file blocks the calling thread, but for the memory copies it names. What may wait
 * for a disk runs on the addon's own threads and reports by an event.
 */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

declare const kind: unique symbol

/** A descriptor that the addon knows: borrowed from its owner, or a duplicate of our own. */
export interface Descriptor {
  readonly [kind]: 'descriptor'
}
/** Both ends of one kernel pipe, non-blocking and close-on-exec. */
export interface Pipe {
  readonly [kind]: 'pipe'
}
/** Mapped memory: a memfd, sealed against shrinking, that looks are read into; or private pages. */
export interface Slab {
  readonly [kind]: 'slab'
}

/** What `describe` knows of a descriptor. */
export interface Description {
  /** `S_IFMT` bits of `fstat`: `0o100000` regular, `0o040000` directory, `0o140000` socket, … */
  readonly type: number
  /** File status flags of `fcntl(F_GETFL)`: access mode, `O_APPEND`, `O_NONBLOCK`, `O_DIRECT`. */
  readonly flags: number
  /** `fstat`'s size in bytes; meaningful for regular files. */
  readonly sizeBytes: number
  /** `fstat`'s count of blocks: 0 for what takes no place, a file that the kernel makes up too. */
  readonly blocks: number
  /** `SO_DOMAIN` of a socket (`AF_UNIX` 1, `AF_INET` 2, `AF_INET6` 10), 0 for anything else. */
  readonly family: number
  /** `SO_TYPE` of a socket (`SOCK_STREAM` 1), 0 for anything else. */
  readonly socketType: number
}

/** What the system allows this process. Read from the system at each call. */
export interface SystemLimits {
  /** One page, in bytes. A pipe's slot holds at most one page of a file. */
  readonly pageBytes: number
  /** `/proc/sys/fs/pipe-max-size`: the largest pipe an unprivileged process may ask for. */
  readonly pipeMaxBytes: number
  /** `/proc/sys/fs/pipe-user-pages-soft`: pages one user may hold in pipes; 0 is no limit. */
  readonly userPagesSoft: number
  /** `/proc/sys/fs/pipe-user-pages-hard`: past it no pipe is made at all; 0 is no limit. */
  readonly userPagesHard: number
  /** `RLIMIT_NOFILE`, soft. */
  readonly openFilesMax: number
  /**
   * Whether the process has CAP_SYS_RESOURCE or CAP_SYS_ADMIN in the first user namespace, which lifts
   * the limits on pipes.
   */
  readonly privileged: boolean
}

/** What lives in this environment's addon right now. Read by tests and by the ledger's gauges. */
export interface LiveCounts {
  readonly pipes: number
  readonly descriptors: number
  readonly slabs: number
  /** Disk jobs that have not reported yet. */
  readonly jobs: number
  /** Of those, jobs whose descriptors were dropped while the call was running. */
  readonly orphans: number
  /** Descriptors that are armed in the epoll set. */
  readonly waits: number
}

/** Event mask for `wait`: bytes, an end of stream or an error can be read. */
export const READABLE = 1
/** Event mask for `wait`: a send can make progress, or would fail at once. */
export const WRITABLE = 2

/** Doubles per event record: token, type, value, errno, bytes held. */
export const EVENT_STRIDE = 5
/** Event type: a wait came true. Value: mask of READABLE and WRITABLE. */
export const EVENT_READY = 0
/**
 * Event type: a disk job or a relay ended. Value: bytes it moved; errno: 0, or why (positive). Held are
 * the bytes that a relay's sink did not take, in the pipe that was lent.
 */
export const EVENT_DONE = 1

/** Step of `cacheRange`: start to write the range back. */
export const CACHE_WRITE_BACK = 0
/** Step of `cacheRange`: wait until the range is written back. */
export const CACHE_SETTLE = 1
/** Step of `cacheRange`: drop the range's clean pages. */
export const CACHE_DROP = 2

/** How `adopt` treats the number: `borrow` relies on the owner, `duplicate` is ours to close. */
export type Ownership = 'borrow' | 'duplicate'

/** One rule of a scripted system-call table; tests only. */
export interface ScriptRule {
  /** The system call's name in the table: 'splice', 'tee', 'read', 'write', 'pipe2', … */
  readonly call: string
  /** How many matching calls pass untouched first. Default 0. */
  readonly skip?: number
  /** How many calls the rule then applies to. Default 1. */
  readonly times?: number
  /** Fail the call with this errno (positive), without making it. */
  readonly errno?: number
  /** Make the call with its byte count cut down to this; a pipe is made with a page for each 4096. */
  readonly maxBytes?: number
}

/**
 * The addon's calls. An offset of −1 means the descriptor's own position. Lengths and offsets are
 * whole numbers below 2^53. A `Pipe` as a source means its read end, as a sink its write end.
 */
export interface Addon {
  /**
   * Opens this environment: the epoll set, its waker, and the record of what is live. Events are
   * written to `events` (`EVENT_STRIDE` doubles each) and `onEvents(count)` is called, which must
   * not throw. `loop` wakes by one `uv_poll` on the epoll set; `thread` by a thread and a
   * thread-safe function, for runtimes where libuv's calls are unsafe.
   */
  open(onEvents: (count: number) => void, events: Float64Array, waker: 'loop' | 'thread'): void
  /** Ends everything that is live here. Later calls return −EBADF. Idempotent. */
  close(): void

  adopt(fd: number, ownership: Ownership): Descriptor | number
  describe(descriptor: Descriptor): Description | number
  /** `lseek`. Returns the new position. `whence`: 0 set, 1 current, 2 end. */
  seek(descriptor: Descriptor, offset: number, whence: 0 | 1 | 2): number
  /** The magic number of the kind of file system that it lies in (`fstatfs`), or −errno. */
  fileSystem(descriptor: Descriptor): number
  /**
   * `statx`'s `STATX_DIOALIGN`: what offsets and lengths of direct transfers are multiples of, in
   * bytes; 0 where the file takes none. −ENODATA or −ENOSYS where nobody tells.
   */
  directAlignment(descriptor: Descriptor): number
  /** `SO_RCVLOWAT` in bytes; 1 restores the default. */
  lowWater(descriptor: Descriptor, bytes: number): number
  /**
   * Bytes that TCP sends of a connected socket as one packet: the whole segments (`TCP_MAXSEG`) that the
   * kernel hands on together. It may grow while the connection is young. −errno where it is no socket of
   * TCP.
   */
  packetBytes(socket: Descriptor): number
  /** Whether a socket's congestion control spaces its packets by a timer, as BBR does. */
  isPaced(socket: Descriptor): boolean
  /** `SIOCOUTQ`/`FIONREAD`: bytes that can be read from a pipe or a socket now. */
  pending(from: Descriptor | Pipe): number

  /** A new pipe, grown to `slots` pages where that is allowed. Read `slots()` for what it got. */
  pipe(slots: number): Pipe | number
  /** Slots of a pipe as the kernel counts them (`F_GETPIPE_SZ` / page size). */
  slots(pipe: Pipe): number
  /** `F_SETPIPE_SZ`. Returns the new slot count, −EBUSY when the content does not fit. */
  resize(pipe: Pipe, slots: number): number
  /** Whether a free slot is left (`poll` for `POLLOUT`). */
  hasRoom(pipe: Pipe): boolean

  /** Closes at once, or when the disk job that uses it has returned. Idempotent. */
  drop(resource: Descriptor | Pipe | Slab): void

  /**
   * One call that moves bytes by reference and never waits for a peer: `splice` where one side is a
   * pipe, `sendfile` from a file to a socket, `copy_file_range` between files. `more` says that
   * further bytes follow at once (`SPLICE_F_MORE`). EINTR is retried.
   */
  move(
    source: Descriptor | Pipe,
    sourceOffset: number,
    sink: Descriptor | Pipe,
    sinkOffset: number,
    lengthBytes: number,
    more: boolean,
  ): number
  tee(from: Pipe, to: Pipe, lengthBytes: number): number
  /** Drops bytes from the front of a pipe, by reference to `/dev/null`. */
  discard(pipe: Pipe, lengthBytes: number): number
  /** One non-blocking read into memory: a copy. */
  read(
    source: Descriptor | Pipe,
    target: Uint8Array,
    targetOffset: number,
    lengthBytes: number,
  ): number
  /**
   * One gathering, non-blocking write from memory; the first `skipBytes` bytes are left out. Sockets
   * by `sendmsg` with `MSG_NOSIGNAL`, and `MSG_MORE` when `more`. At most `IOV_MAX` parts a call.
   */
  writev(
    sink: Descriptor | Pipe,
    parts: readonly Uint8Array[],
    skipBytes: number,
    more: boolean,
  ): number
  /**
   * As `writev` of all parts to each sink in turn: what that returns for each, in `taken`. Returns 0, or
   * −errno where nothing was tried.
   */
  writeEach(
    sinks: readonly Descriptor[],
    parts: readonly Uint8Array[],
    more: boolean,
    taken: Float64Array,
  ): number

  /** Lets a socket send from memory in place: `SO_ZEROCOPY`. */
  allowLending(socket: Descriptor): number
  /**
   * As `writev` to a socket, from the memory itself (`MSG_ZEROCOPY`): it must stay as it is until a
   * notice of this send, by its number. Sends that took bytes are numbered from 0 on, modulo 2^32.
   */
  lend(socket: Descriptor, parts: readonly Uint8Array[], skipBytes: number, more: boolean): number
  /** Takes all notices of a socket: in threes, the first send, the last, and 1 where it was copied. */
  notices(socket: Descriptor): readonly number[] | number
  /** Reports under a token each time that notices may have come, until the socket is dropped. */
  watchNotices(socket: Descriptor, token: number): number

  /** Arms one descriptor, once, for a mask of READABLE and WRITABLE; arming again replaces. */
  wait(descriptor: Descriptor, mask: number, token: number): number
  /** Disarms; a wait that has fired already is not called back. Idempotent. */
  unwait(descriptor: Descriptor): void

  /**
   * `move` in a loop on a disk thread, step by step: step i moves `lengthsBytes[i]` bytes from
   * `source` (its i-th pipe, where it is several) to `sink` (likewise). It ends behind the last step,
   * or within the first that the source's end, a side that would block, or an error cut short. So
   * the event's byte count tells what each pipe gave or got. Returns 0 when queued, or −errno.
   */
  pump(
    source: Descriptor | readonly Pipe[],
    sourceOffset: number,
    sink: Descriptor | readonly Pipe[],
    sinkOffset: number,
    lengthsBytes: readonly number[],
    token: number,
  ): number
  /**
   * Moves bytes between two descriptors that no single call serves, through an empty pipe: splice in
   * and splice out, until a side would block, ends or fails. Three numbers in `relayed`: the bytes that
   * the sink took; those that lie in the pipe, which it did not take; and the errno, which is the sink's
   * where there are any of these, and 0 where nothing ended it but the length or the end of the source.
   * Returns 0, or −errno where nothing was tried.
   */
  relay(
    source: Descriptor,
    pipe: Pipe,
    sink: Descriptor,
    lengthBytes: number,
    relayed: Float64Array,
  ): number
  /**
   * `relay` between two sockets each time that the source is ready, at most 1 MiB in a turn, on this
   * thread and without calling JavaScript, until `lengthBytes` are moved, a side ends or fails, or the
   * sink does not take all. Each uses a duplicate of what is not ours, and of the source, whose low-water
   * mark has to be 1. Its event tells the end. Returns 0, or −errno where it did not start.
   */
  startRelay(source: Descriptor, sink: Descriptor, lengthBytes: number, token: number): number
  /** Ends a relay at once, which has no event then. Returns the bytes that it moved, or −ENOENT. */
  endRelay(token: number): number
  /**
   * Lends an empty pipe that all relays go through; null takes it back. A relay that is stuck keeps
   * it, and those that are ready before another one is lent end with ECANCELED. Returns whether one
   * was lent until now that no relay has kept.
   */
  lendRelayPipe(pipe: Pipe | null): boolean
  /**
   * Gives each sink the first bytes of a pipe, which keeps them: a tee into an empty pipe, and out of
   * that what the sink takes; the rest is dropped. Of fewer bytes where the pipe has no slots for all.
   * As many sinks are served at once as there are pipes between, no two of them one, each with a burst in
   * turn.
   * Returns how many sinks were served, fewer than all where the rest of one could not be dropped, or
   * −errno; `shared` has the three numbers of `relay` for each.
   */
  share(
    from: Pipe,
    through: readonly Pipe[],
    sinks: readonly Descriptor[],
    burstsBytes: readonly number[],
    lengthBytes: number,
    shared: Float64Array,
  ): number
  /**
   * `move`, or `relay` through an empty `pipe`, in a loop on a disk thread, which waits for a peer
   * that is busy, at most `patienceMs` (up to 1000) at once, unless another job waits for a thread; for
   * a TCP source until `gatheredBytes` are there, or what is left. Such a source's low-water mark has to
   * be 1, and is so again at the end. No call gives the sink more than `burstBytes` (at least 1). What it
   * did not take lies in the pipe. Returns 0 when queued, or −errno.
   */
  carry(
    source: Descriptor,
    sourceOffset: number,
    pipe: Pipe | null,
    sink: Descriptor,
    sinkOffset: number,
    lengthBytes: number,
    burstBytes: number,
    gatheredBytes: number,
    patienceMs: number,
    token: number,
  ): number
  /**
   * Whether a range of a file is in the page cache, so that moving it waits for no disk: a byte of each
   * page is read. 250 ns a page.
   */
  isCached(file: Descriptor, offset: number, lengthBytes: number): boolean | number
  /** Whether a disk thread can be spared for a job that could do without. */
  hasSpareThread(): boolean
  /**
   * `pread` in a loop on a disk thread into memory that the caller keeps to itself until the event.
   * Ends early only at the end of the file.
   */
  readAt(
    file: Descriptor,
    offset: number,
    target: Uint8Array,
    targetOffset: number,
    lengthBytes: number,
    token: number,
  ): number
  /**
   * `pwrite` in a loop on a disk thread. The bytes are copied before this call returns, so the caller
   * may change or detach them afterwards.
   */
  writeAt(
    file: Descriptor,
    offset: number,
    parts: readonly Uint8Array[],
    skipBytes: number,
    token: number,
  ): number
  /**
   * `pwrite` in a loop on a disk thread from where the bytes are: in a slab, else −EINVAL. They must
   * stay as they are until the event.
   */
  lendAt(
    file: Descriptor,
    offset: number,
    bytes: Uint8Array,
    bytesOffset: number,
    lengthBytes: number,
    token: number,
  ): number
  /** `fsync`, or `fdatasync` when `dataOnly`, on a disk thread. */
  sync(file: Descriptor, dataOnly: boolean, token: number): number
  /**
   * One call on a range of a file's page cache, on a disk thread. `CACHE_WRITE_BACK` starts to write
   * it back, `CACHE_SETTLE` waits until it is written back (`sync_file_range`), `CACHE_DROP` drops the
   * pages that are clean and that nobody uses (`posix_fadvise`). A length of 0 is to the end.
   */
  cacheRange(
    file: Descriptor,
    step: number,
    offset: number,
    lengthBytes: number,
    token: number,
  ): number
  /** Asks a queued or running job to stop at its next call. Its event still comes. */
  cancel(token: number): void

  slab(lengthBytes: number): Slab | number
  /** Private pages, which can be given to the kernel. Unmapped at once when they are dropped. */
  pages(lengthBytes: number): Slab | number
  /** Refers a pipe to the slab's pages: `vmsplice`. What is written to them afterwards shows. */
  vmsplice(slab: Slab, offset: number, lengthBytes: number, pipe: Pipe): number
  /**
   * Puts fresh pages with the same bytes in place of private ones. Whoever refers to the old ones
   * keeps them as they are. 0 or −errno. One copy.
   */
  renew(slab: Slab, offset: number, lengthBytes: number): number
  /**
   * The slab's first bytes as an external ArrayBuffer, without a copy; one at a time. What lies
   * behind them is an earlier user's, and not shown. −ENOTSUP where the engine forbids it.
   */
  view(slab: Slab, lengthBytes: number): ArrayBuffer | number
  /** Detaches the ArrayBuffer that `view` gave, so that the slab may be viewed anew. Idempotent. */
  detach(slab: Slab): void

  /**
   * CRC-32C in Ceph's convention: no inversion before or after. The seed is any 32 bits, signed or
   * unsigned; returns a signed 32-bit number.
   */
  crc32c(bytes: Uint8Array, seed: number): number
  /** Names of the forms of `crc32c` that this processor can run; it runs the first. Tests only. */
  crc32cForms(): readonly string[]
  /** `crc32c` by the form at this index of `crc32cForms()`. Tests only. */
  crc32cBy(form: number, bytes: Uint8Array, seed: number): number

  /** An anonymous, empty file in memory. For probing, as the three calls after it. */
  memoryFile(): Descriptor | number
  /** Two unix stream sockets that are connected to each other, non-blocking. */
  socketPair(): readonly [Descriptor, Descriptor] | number
  /** `preadv2(RWF_NOWAIT)`: what is in the page cache, −EAGAIN where nothing is. */
  readCached(
    file: Descriptor,
    offset: number,
    target: Uint8Array,
    targetOffset: number,
    lengthBytes: number,
  ): number

  limits(): SystemLimits
  live(): LiveCounts
  /** Replaces the system-call table by a scripted one for this process; null restores it. Tests only. */
  script(rules: readonly ScriptRule[] | null): void
  /** How often each call was made under the last script. Tests only. */
  scriptedCalls(): Readonly<Record<string, number>>
}

function load(): { addon: Addon | null; reason: string } {
  if (process.env['SPLICELIST_NATIVE'] === '0') {
    return { addon: null, reason: 'SPLICELIST_NATIVE=0 switches the addon off' }
  }
  if (process.platform !== 'linux') {
    return { addon: null, reason: `the addon needs Linux, this is ${process.platform}` }
  }
  try {
    const require = createRequire(import.meta.url)
    const find = require('node-gyp-build') as (root: string) => Addon
    return { addon: find(fileURLToPath(new URL('..', import.meta.url))), reason: '' }
  } catch (error) {
    return { addon: null, reason: error instanceof Error ? error.message : String(error) }
  }
}

const loaded = load()
/** The addon, or null where there is none; the list works without it and transfers copy. */
export const addon: Addon | null = loaded.addon
/** Why there is no addon, as a sentence; empty where there is one. */
export const whyNoAddon: string = loaded.reason
