/** What a list and a cursor have, by name. */
import { BufferList } from 'splicelist'

/** What the storeys that a list is built of, and the floors above it, call. Not for programs. */
const INTERNAL = [
  'admitted',
  'adding',
  'adoptRaw',
  'alive',
  'appendOwn',
  'appendText',
  'byteOutside',
  'changing',
  'claimForeign',
  'constructor',
  'copyOf',
  'copyRange',
  'cutting',
  'endSome',
  'endViews',
  'ending',
  'growing',
  'growingFar',
  'isMemory',
  'ownLeases',
  'pushTail',
  'reading',
  'refuse',
  'renew',
  'replace',
  'reserve',
  'settle',
  'stretchAt',
  'stretches',
]

/** Names of everything on an object and on what it inherits from, but for what all objects have. */
function namesOn(prototype: object): string[] {
  const names = new Set<string>()
  for (let at = prototype; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name)
  }
  return [...names].filter((name) => !INTERNAL.includes(name))
}

/** Public members of a list. */
export const LIST_MEMBERS = namesOn(BufferList.prototype)
/** Public members of a cursor. */
export const CURSOR_MEMBERS = namesOn(Object.getPrototypeOf(new BufferList().cursor()) as object)
