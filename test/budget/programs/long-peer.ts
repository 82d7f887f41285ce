/** A peer of a long run: `node long-peer.js PART PORT LENGTH` sends it, or checks what comes. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { BLOCK_BYTES, Run, type Part } from '../long-run.js'

const [part, port, length] = process.argv.slice(2) as [Part, string, string]
const lengthBytes = Number(length)
const run = new Run(part === 'check sparse')
const socket = connect(Number(port), '127.0.0.1')
await once(socket, 'connect')

async function send(): Promise<number> {
  // Node may still be writing the block before.
  const copies = [Buffer.alloc(BLOCK_BYTES), Buffer.alloc(BLOCK_BYTES)] as const
  for (let offset = 0; offset < lengthBytes; offset += BLOCK_BYTES) {
    const index = offset / BLOCK_BYTES
    const copy = copies[index % 2 === 0 ? 0 : 1]
    if (index < 2) run.block(index).copy(copy)
    else copy.writeUInt32LE(index)
    const more = socket.write(copy.subarray(0, Math.min(BLOCK_BYTES, lengthBytes - offset)))
    if (!more) await once(socket, 'drain')
  }
  socket.end()
  return lengthBytes
}

async function check(): Promise<number> {
  let right = 0
  for await (const chunk of socket) {
    if (!run.hasAt(right, chunk as Buffer)) break
    right += (chunk as Buffer).length
    if (right >= lengthBytes) break
  }
  return right
}

process.send?.(await (part === 'send' ? send() : check()))
process.disconnect()
