/** The peers of a crowd: a process that connects many sockets, and sends or checks when it is told. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { CROWD_BATCH, ownBytes, type Order } from '../crowd.js'

const [path = '', size = ''] = process.argv.slice(2)
const sockets: Socket[] = []

for (let i = 0; i < Number(size); i += CROWD_BATCH) {
  const accepted = once(process, 'message')
  const batch = Array.from({ length: Math.min(CROWD_BATCH, Number(size) - i) }, () => {
    const socket = connect({ path })
    socket.on('error', () => undefined)
    return socket.pause()
  })
  await Promise.all(batch.map((socket) => once(socket, 'connect')))
  sockets.push(...batch)
  if (batch.length === CROWD_BATCH) await accepted
}

/** Each peer's own bytes. */
function send(lengthBytes: number): number {
  for (const [i, socket] of sockets.entries()) {
    socket.write(ownBytes(i, sockets.length, lengthBytes))
  }
  return sockets.length
}

/** Reads so many bytes of each, and counts the peers whose bytes are what they should be. */
async function check(lengthBytes: number): Promise<number> {
  let right = 0
  await Promise.all(
    sockets.map(async (socket, i) => {
      if (await isRight(socket, i, lengthBytes)) right += 1
    }),
  )
  return right
}

function isRight(socket: Socket, seed: number, lengthBytes: number): Promise<boolean> {
  return new Promise((resolve) => {
    // The whole would be gigabytes in all: a check as they come, against one peer's at a time.
    let at = 0
    let isSame = true
    socket.on('data', (chunk: Buffer) => {
      isSame &&= chunk.equals(
        ownBytes(seed, sockets.length, lengthBytes).subarray(at, at + chunk.length),
      )
      at += chunk.length
      if (at >= lengthBytes) resolve(isSame && at === lengthBytes)
    })
    socket.on('close', () => resolve(false))
    socket.resume()
  })
}

process.on('message', (order: Order) => {
  if (order.do === 'send') process.send?.(send(order.lengthBytes))
  else void check(order.lengthBytes).then((right) => process.send?.(right))
})
