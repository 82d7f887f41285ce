/**
 * Two sockets that are connected to each other, in one process. Both are destroyed after the test,
 * if it has not ended them itself.
 */
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { connect, createServer, type ListenOptions, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterwards } from './cleanup.js'

/** Two ends of one connection. What one writes, the other reads. */
export interface SocketPair {
  /** The end that connected. */
  readonly client: Socket
  /** The end that was accepted. Paused, with nothing read: a listener alone does not resume it. */
  readonly server: Socket
}

/** What a pair's sockets are made with. */
export interface PairOptions {
  /** As in `net.createServer`. Default true: a test decides itself when a side ends. */
  readonly allowHalfOpen?: boolean
  /** As in `net.createServer`: the accepted end reads nothing before `resume()`. Default true. */
  readonly pauseOnConnect?: boolean
}

/** The number of a socket's descriptor. */
export function fdOf(socket: Socket): number {
  return (socket as unknown as { readonly _handle: { readonly fd: number } })._handle.fd
}

let lastPath = 0

/** A pair over loopback TCP. */
export function tcpPair(options?: PairOptions): Promise<SocketPair> {
  return pair({ port: 0, host: '127.0.0.1' }, options)
}

/** A pair over loopback TCP of version 6. Only where `hasIpv6`. */
export function tcp6Pair(options?: PairOptions): Promise<SocketPair> {
  return pair({ port: 0, host: '::1' }, options)
}

/** Whether this machine has a loopback of version 6. */
export async function hasIpv6(): Promise<boolean> {
  const listener = createServer()
  try {
    await once(listener.listen(0, '::1'), 'listening')
    return true
  } catch {
    return false
  } finally {
    listener.close()
  }
}

/** A pair over a unix stream socket. */
export async function unixPair(options?: PairOptions): Promise<SocketPair> {
  const path = join(tmpdir(), `splicelist-test-${process.pid}-${++lastPath}.sock`)
  try {
    return await pair({ path }, options)
  } finally {
    await rm(path, { force: true })
  }
}

async function pair(where: ListenOptions, options: PairOptions = {}): Promise<SocketPair> {
  const allowHalfOpen = options.allowHalfOpen ?? true
  const listener = createServer({ allowHalfOpen, pauseOnConnect: options.pauseOnConnect ?? true })
  listener.listen(where)
  await once(listener, 'listening')
  const address = listener.address()
  if (address === null) throw new Error('The listener has no address')
  const client = connect(
    typeof address === 'string'
      ? { path: address, allowHalfOpen }
      : { port: address.port, host: address.address, allowHalfOpen },
  )
  const [[server]] = (await Promise.all([
    once(listener, 'connection'),
    once(client, 'connect'),
  ])) as [[Socket], unknown]
  listener.close()
  afterwards(async () => {
    await Promise.all([destroyed(client), destroyed(server)])
  })
  return { client, server }
}

/** Destroys a socket and waits until its descriptor is closed. */
export async function destroyed(socket: Socket): Promise<void> {
  // A reset that the other end's destruction causes is no failure.
  socket.on('error', () => undefined)
  if (socket.closed) return
  const closed = once(socket, 'close').catch(() => undefined)
  socket.destroy()
  await closed
}
