/**
 * Who uses a place: one endpoint for a conversation, or any number of single operations, which take
 * turns. From the call on, so also while a socket still connects.
 */
import { EndpointBusyError } from '../errors.js'

/** How a place is used. */
export type Use = 'attach' | 'operation'

interface Users {
  readonly use: Use
  count: number
}

const ofObjects = new WeakMap<object, Users>()
const ofNumbers = new Map<number, Users>()

/** Enters a place, an object or a descriptor's number. Returns how to leave it, to be called once. */
export function enter(place: object | number, use: Use): () => void {
  // One of the two maps, by what it is asked for.
  const all = (typeof place === 'number' ? ofNumbers : ofObjects) as Map<object | number, Users>
  const users = all.get(place) ?? { use, count: 0 }
  if (users.count > 0 && (users.use === 'attach' || use === 'attach')) {
    throw new EndpointBusyError(
      users.use === 'attach'
        ? 'This place is attached. Use its endpoint, or detach it first'
        : 'This place is in use. Attach it when what is running has ended',
    )
  }
  users.count += 1
  all.set(place, users)
  return () => {
    users.count -= 1
    if (users.count === 0) all.delete(place)
  }
}
