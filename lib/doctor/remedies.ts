/** What to change on a machine, so that more moves by reference. */
import type { Capabilities } from '../capabilities/capabilities.js'
import { addon, whyNoAddon } from '../native.js'
import type { MountFinding } from './findings.js'

/** One piece of advice. */
export interface Remedy {
  readonly problem: string
  readonly remedy: string
}

/** Slots that the library would take where nothing limits it: 256 MiB of files' pages. */
const PIPE_SLOTS_WANTED = 65536
/** Descriptors for a few thousand connections and their pipes. */
const OPEN_FILES_WANTED = 16384
/** The largest pipe that is made, in bytes. */
const PIPE_BYTES_WANTED = 1 << 20

/** System calls that a container's seccomp profile is known to refuse, by what is probed. */
const CALLS = {
  fileToPipe: 'splice',
  tee: 'tee',
  vmsplice: 'vmsplice',
  fileToSocket: 'sendfile',
  pipeToSocket: 'splice',
  socketToPipe: 'splice',
} as const

interface Facts {
  readonly found: Capabilities
  readonly mounts: readonly MountFinding[]
  readonly isPrivileged: boolean
}

/** What to change, the most telling first. */
export function remediesFor(facts: Facts): Remedy[] {
  if (addon === null) return [withoutAddon()]
  return [...refusedCalls(facts), ...lowLimits(facts), ...plainMounts(facts)]
}

function withoutAddon(): Remedy {
  return {
    problem: `Every byte is copied: ${whyNoAddon}`,
    remedy:
      'Unset SPLICELIST_NATIVE if it is set. Else install the package on Linux, on a processor that it ' +
      'has a prebuilt addon for',
  }
}

function refusedCalls({ found }: Facts): Remedy[] {
  const refused = new Set<string>()
  const copying = new Set<string>()
  for (const [name, call] of Object.entries(CALLS)) {
    if (found[name] === 'absent') refused.add(call)
    if (found[name] === 'copy') copying.add(call)
  }
  const remedies: Remedy[] = []
  if (refused.size > 0) {
    remedies.push({
      problem: `The system refuses ${[...refused].join(', ')}: those bytes are copied`,
      remedy:
        'Allow these system calls in the seccomp profile of the container or the service ' +
        '(docker run --security-opt seccomp=PROFILE.json; systemd: SystemCallFilter=)',
    })
  }
  if (copying.size > 0) {
    remedies.push({
      problem: `This kernel copies in ${[...copying].join(', ')}`,
      remedy: 'Nothing is lost but speed; another kernel, or its sysctls, may differ',
    })
  }
  return remedies
}

function lowLimits({ found, isPrivileged }: Facts): Remedy[] {
  const remedies: Remedy[] = []
  const { pipeUserPagesSoft, pipeMaxBytes, openFilesMax } = found
  if (found.pipeSlots < PIPE_SLOTS_WANTED) {
    const isSystems = !isPrivileged && Number(pipeUserPagesSoft) > 0
    remedies.push({
      problem: `Pipes may hold ${found.pipeSlots} pages; what is beyond that is copied`,
      remedy: isSystems
        ? `As root: sysctl -w fs.pipe-user-pages-soft=${Math.ceil(PIPE_SLOTS_WANTED / 0.75)} ` +
          '(to keep it, put the setting into /etc/sysctl.d/)'
        : 'Raise or unset SPLICELIST_PIPE_SLOTS',
    })
  }
  if (!isPrivileged && Number(pipeMaxBytes) < PIPE_BYTES_WANTED) {
    remedies.push({
      problem: `The largest pipe is ${pipeMaxBytes} bytes, so a transfer makes smaller moves`,
      remedy: `As root: sysctl -w fs.pipe-max-size=${PIPE_BYTES_WANTED}`,
    })
  }
  if (Number(openFilesMax) < OPEN_FILES_WANTED) {
    remedies.push({
      problem: `This process may open ${openFilesMax} descriptors; each pipe takes two`,
      remedy: `ulimit -n ${OPEN_FILES_WANTED} before it starts (systemd: LimitNOFILE=)`,
    })
  }
  return remedies
}

function plainMounts({ mounts }: Facts): Remedy[] {
  const remedies: Remedy[] = []
  for (const { path, verdicts } of mounts) {
    if (verdicts?.mountFileToPipe === 'absent' || verdicts?.mountPipeToFile === 'absent') {
      remedies.push({
        problem: `Files of ${path} take or give no pages: their bytes are copied`,
        remedy: 'Keep payloads on a file system that can splice: ext4, XFS, btrfs, tmpfs',
      })
    } else if (verdicts?.mountReflink === 'absent') {
      remedies.push({
        problem: `Files of ${path} cannot share extents: from file to file bytes are copied`,
        remedy: 'XFS made with reflink=1, or btrfs, copy nothing there',
      })
    }
  }
  return remedies
}
