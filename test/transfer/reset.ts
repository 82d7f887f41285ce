/**
 * Resets.
 */
import type { Socket } from 'node:net'

/** Closes a TCP socket by RST at once; `resetAndDestroy()` would send a FIN before. */
export function reset(socket: Socket): void {
  ;(socket as { resetAndClosing?: boolean }).resetAndClosing = true
  socket.destroy()
}
