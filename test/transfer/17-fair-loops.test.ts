/**
 * Whoever pulls from a place that always has bytes, or pushes to one that always takes them, in a loop
 * of its own, leaves the event loop to others now and then: what finds its bytes waits for nothing.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type ListenOptions, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { attach, BufferList, type Endpoint } from 'splicelist'
import { afterwards } from '../support/cleanup.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'
import { destroyed, tcpPair } from '../support/socket-pairs.js'
import { until } from './outcomes.js'

/** Sends without an end once it is told to, from a process of its own: as fast as it can, whatever we do. */
const SENDER = `
  const chunk = Buffer.alloc(1 << 20)
  const [where] = process.argv.slice(1)
  const socket = require('node:net').connect(JSON.parse(where))
  const send = () => { while (socket.write(chunk)); }
  socket.once('data', send).on('drain', send).on('error', () => process.exit())
`

/** A socket whose peer is busy from the first byte on that it reads. */
async function busySocket(kind: 'tcp' | 'unix'): Promise<Socket> {
  const where: ListenOptions =
    kind === 'tcp' ? { port: 0, host: '127.0.0.1' } : { path: join(await tempFolder(), 'busy') }
  const listener = createServer({ pauseOnConnect: true }).listen(where)
  await once(listener, 'listening')
  const address = listener.address()
  const to = address !== null && typeof address === 'object' ? { port: address.port } : where
  const sender = spawn(process.execPath, ['-e', SENDER, JSON.stringify(to)], { stdio: 'ignore' })
  const exited = once(sender, 'exit')
  afterwards(async () => {
    sender.kill()
    await exited
  })
  const [socket] = (await once(listener, 'connection')) as [Socket]
  listener.close()
  afterwards(() => destroyed(socket))
  return socket
}

/** How often others have their turn during some work. */
async function turnsDuring(work: () => Promise<void>): Promise<number> {
  let turns = 0
  let isOver = false
  const turn = (): void => {
    turns += 1
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  try {
    await work()
  } finally {
    isOver = true
  }
  return turns
}

async function pullAll(peer: Endpoint, length: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    using list = await peer.pull(length)
    expect(list.length).to.equal(length)
  }
}

/** Turns that others have at the least while so many operations move so many bytes each. */
const turnsMin = (count: number, bytes: number): number =>
  Math.floor((count * (bytes + 16_384)) / (4 << 20)) - 1

describe('A loop of pulls', () => {
  it('of what was given back leaves others a turn each millisecond or so', async () => {
    const { server } = await tcpPair()
    await using peer = attach(server)
    using given = new BufferList().appendZero(64 << 20)
    peer.unpull(given)
    const turns = await turnsDuring(() => pullAll(peer, 65_536, 1024))
    expect(turns).to.be.at.least(turnsMin(1024, 65_536))
  })

  for (const kind of ['tcp', 'unix'] as const) {
    for (const length of [4096, 65_536]) {
      // Of eight, seven wait, but only for one another.
      for (const loops of [1, 8]) {
        it(`of ${length} bytes from a busy ${kind} socket, and ${loops - 1} more, leaves others theirs`, async () => {
          await using peer = attach(await busySocket(kind))
          const count = length < 65_536 ? 4096 : 1024
          let hasFired = false
          const turns = await turnsDuring(async () => {
            const pulling = Array.from({ length: loops }, () =>
              pullAll(peer, length, count / loops),
            )
            await peer.push(new BufferList('go'))
            setTimeout(() => (hasFired = true), 1)
            await Promise.all(pulling)
          })
          expect(turns).to.be.at.least(turnsMin(count, length) / 2)
          await until(() => hasFired)
        })
      }
    }
  }
})

describe('A loop of pushes', () => {
  for (const length of [100, 65_536]) {
    it(`of ${length} bytes to a place that takes all at once leaves others theirs`, async function () {
      needsAddon(this)
      const { client, server } = await tcpPair()
      await using peer = attach(client)
      const count = length < 65_536 ? 2000 : 400
      let got = 0
      server.on('data', (chunk: Buffer) => (got += chunk.length)).resume()
      const turns = await turnsDuring(async () => {
        for (let i = 0; i < count; i++) await peer.push(new BufferList().appendZero(length))
      })
      expect(turns).to.be.at.least(turnsMin(count, length))
      await until(() => got === count * length)
    })
  }
})
