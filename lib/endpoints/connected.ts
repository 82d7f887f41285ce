import type { Socket } from 'node:net'
import { AbortError, UnsupportedEndpointError } from '../errors.js'

/** Resolves when a socket has connected; rejects when it fails, is destroyed, or on an abort. */
export function connected(socket: Socket, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      socket.off('connect', onConnect)
      socket.off('error', settle)
      socket.off('close', onClose)
      signal?.removeEventListener('abort', onAbort)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onConnect = (): void => settle()
    const onClose = (): void => settle(closedSocket())
    const onAbort = (): void => settle(new AbortError(0, signal?.reason))
    socket.on('connect', onConnect)
    socket.on('error', settle)
    socket.on('close', onClose)
    signal?.addEventListener('abort', onAbort)
    if (signal?.aborted === true) onAbort()
  })
}

/** The refusal of a socket that is no more. */
export function closedSocket(): UnsupportedEndpointError {
  return new UnsupportedEndpointError(
    'This socket is closed, or has no descriptor on this runtime',
    'Pass a socket that is connected and not destroyed',
  )
}
