/**
 * Every fault, at every system call in turn, of places that behave in a way of their own: responses,
 * files past or out of the page cache, flushed or appended to, files on a disk, devices, children.
 */
import { needsDirect } from '../ends/direct.js'
import { nothingIsLost } from './nothing-is-lost.js'
import { pulling, pushing, transferring, type ListKind, type Scene } from './scenes.js'
import { fanningOut } from './scenes-of-streams.js'
import type { PlaceKind } from './ends.js'
import { isLong, sweep } from './sweep.js'

const sent = (kind: ListKind, to: PlaceKind): Scene =>
  pushing(kind, to, { consume: true, mode: 'auto', face: 'spliceTo' })
const kept = (kind: ListKind, to: PlaceKind): Scene =>
  pushing(kind, to, { consume: false, mode: 'auto', face: 'spliceTo' })
const copied = (kind: ListKind, to: PlaceKind): Scene =>
  pushing(kind, to, { consume: true, mode: 'copy', face: 'spliceTo' })

const RESPONSES: readonly Scene[] = [
  transferring('tcp', 'response', 'auto'),
  transferring('tcp', 'response', 'copy'),
  transferring('tmpfs file', 'response', 'auto'),
  sent('memory', 'response'),
  sent('pages', 'response'),
  sent('all kinds', 'response'),
]
const MORE_RESPONSES: readonly Scene[] = [
  transferring('tmpfs file', 'response', 'copy'),
  kept('pages', 'response'),
  copied('pages', 'response'),
  fanningOut({ from: 'tcp', to: ['response', 'response'], atLeast: 1, mode: 'auto' }),
]

const DIRECT: readonly Scene[] = [
  pulling('direct file', 'spliceFrom', 'auto'),
  transferring('direct file', 'tcp', 'auto'),
  transferring('tmpfs file', 'aligned direct file', 'auto'),
  sent('extents', 'aligned direct file'),
]
const MORE_DIRECT: readonly Scene[] = [
  pulling('direct file', 'peek', 'auto'),
  transferring('direct file', 'tcp', 'copy'),
  // Pages of a socket lie anywhere, and are refused.
  transferring('tcp', 'direct file', 'auto'),
  transferring('tcp', 'direct file', 'copy'),
  transferring('direct file', 'direct file', 'auto'),
  kept('extents', 'aligned direct file'),
  sent('all kinds', 'direct file'),
]

const FILES: readonly Scene[] = [
  transferring('tcp', 'appended file', 'auto'),
  sent('pages', 'appended file'),
  transferring('disk file', 'disk file', 'auto'),
  transferring('disk file', 'tcp', 'auto'),
  transferring('tcp', 'disk file', 'auto'),
  transferring('dropped file', 'dropped file', 'auto'),
  sent('memory', 'flushed file'),
]
const MORE_FILES: readonly Scene[] = [
  kept('all kinds', 'appended file'),
  transferring('disk file', 'disk file', 'copy'),
  sent('pages', 'dropped file'),
  transferring('tcp', 'flushed file', 'auto'),
]

const DEVICES: readonly Scene[] = [
  pulling('/dev/zero', 'spliceFrom', 'auto'),
  transferring('/dev/zero', 'tcp', 'auto'),
  transferring('/dev/zero', 'tmpfs file', 'copy'),
  transferring('tcp', '/dev/null', 'auto'),
  transferring('tmpfs file', '/dev/null', 'copy'),
  sent('all kinds', '/dev/null'),
]
const MORE_DEVICES: readonly Scene[] = [
  transferring('/dev/zero', 'tmpfs file', 'auto'),
  transferring('/dev/zero', 'tcp', 'copy'),
  transferring('tmpfs file', '/dev/null', 'auto'),
  transferring('tcp', '/dev/null', 'copy'),
  kept('pages', '/dev/null'),
]

/** Two programs for each run, and two more for what is left: no more than one scene. */
const CHILDREN: readonly Scene[] = [transferring('child', 'child', 'auto')]

const inForm = (scenes: readonly Scene[], more: readonly Scene[]): readonly Scene[] =>
  isLong ? [...scenes, ...more] : scenes

describe('Whatever system call fails, in whatever way, of another place', () => {
  nothingIsLost(
    [
      ...inForm(RESPONSES, MORE_RESPONSES),
      ...inForm(FILES, MORE_FILES),
      ...inForm(DEVICES, MORE_DEVICES),
      ...CHILDREN,
    ],
    sweep,
  )
})

describe('Whatever system call fails, in whatever way, past the page cache', () => {
  nothingIsLost(inForm(DIRECT, MORE_DIRECT), sweep, (test) => needsDirect(test))
})
