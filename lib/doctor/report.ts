/** The findings as a table for people. */
import type { Capabilities } from '../capabilities/capabilities.js'
import type { MountVerdicts } from '../capabilities/mount.js'
import type { Verdict } from '../capabilities/trial.js'
import type { Findings, MountFinding } from './findings.js'

/** Width of the first column, in characters. */
const NAME_WIDTH = 44
const KERNEL_ROWS = {
  fileToPipe: 'file to pipe (splice)',
  tee: 'pipe to pipe, again (tee)',
  vmsplice: 'memory to pipe (vmsplice)',
  fileToSocket: 'file to socket (sendfile)',
  pipeToSocket: 'pipe to socket (splice)',
  socketToPipe: 'socket to pipe (splice)',
} as const satisfies Partial<Record<keyof Capabilities, string>>
const MOUNT_ROWS: Readonly<Record<keyof MountVerdicts, string>> = {
  mountFileToPipe: 'file to pipe (splice)',
  mountPipeToFile: 'pipe to file (splice)',
  mountDirect: 'pipe to file with O_DIRECT (splice)',
  mountCopyFileRange: 'file to file (copy_file_range)',
  mountReflink: 'shared extents (FICLONE)',
}
const LIMIT_ROWS = {
  pipeSlots: 'slots of pipes (SPLICELIST_PIPE_SLOTS)',
  pipes: 'pipes (SPLICELIST_PIPES)',
  pipeBytes: 'bytes they may pin (SPLICELIST_PIPE_BYTES)',
  pinnedBytes: 'page cache of that (SPLICELIST_PINNED_BYTES)',
  pipeUserPagesSoft: 'fs.pipe-user-pages-soft',
  pipeUserPagesHard: 'fs.pipe-user-pages-hard',
  pipeMaxBytes: 'fs.pipe-max-size',
  openFilesMax: 'descriptors (ulimit -n)',
  pageBytes: 'bytes of a page',
} as const satisfies Partial<Record<keyof Capabilities, string>>
/** Verdicts in words: what happens to a byte. */
const WORDS: Readonly<Record<Verdict, string>> = {
  reference: 'by reference',
  copy: 'copied by the kernel',
  absent: 'not here',
  unknown: 'unknown',
}

/** The whole report, with a line's end behind each line. */
export function reportOf(findings: Findings): string {
  const { version, node, kernel, platform, whyNoAddon, capabilities } = findings
  const lines = [
    `splicelist ${version}, node ${node}, kernel ${kernel}, ${platform}`,
    whyNoAddon === undefined ? 'The addon is there.' : `There is no addon: ${whyNoAddon}.`,
    ...section('Moving bytes', KERNEL_ROWS, capabilities),
    ...findings.mounts.flatMap(mountLines),
    ...section('Limits in force', LIMIT_ROWS, capabilities),
    ...(findings.isPrivileged
      ? ['  fs.pipe-* do not bind this process: it has CAP_SYS_RESOURCE or CAP_SYS_ADMIN']
      : []),
    '',
    'What to change',
    ...(findings.remedies.length === 0 ? ['  nothing'] : []),
    ...findings.remedies.flatMap(({ problem, remedy }) => [`  ${problem}.`, `    ${remedy}.`]),
  ]
  return `${lines.join('\n')}\n`
}

function mountLines({ path, verdicts, problem }: MountFinding): string[] {
  if (verdicts === undefined) return ['', `Files of ${path}`, `  not tried: ${problem ?? ''}`]
  return section(`Files of ${path}`, MOUNT_ROWS, verdicts)
}

function section<Name extends string>(
  title: string,
  rows: Readonly<Record<Name, string>>,
  found: Readonly<Record<Name, Verdict | number>>,
): string[] {
  const names = Object.keys(rows) as Name[]
  return ['', title, ...names.map((name) => row(rows[name], found[name]))]
}

function row(name: string, value: Verdict | number): string {
  const shown = typeof value === 'number' ? value.toLocaleString('en-US') : WORDS[value]
  return `  ${name.padEnd(NAME_WIDTH)}  ${shown}`
}
