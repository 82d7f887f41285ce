/**
 * Node's idle timer of a socket, watched where it is told of bytes: a test need not wait for it, nor
 * race it on a slow machine.
 */
import type { Socket } from 'node:net'

/** Begins to count how often a socket's timer is told that bytes moved. Returns the count so far. */
export function refreshes(socket: Socket): () => number {
  const it = socket as Socket & { _unrefTimer: () => void }
  const refresh = it._unrefTimer.bind(socket)
  let count = 0
  it._unrefTimer = () => {
    count++
    refresh()
  }
  return () => count
}
