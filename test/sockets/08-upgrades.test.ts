/**
 * Sockets that come out of HTTP: 'upgrade' and CONNECT, of servers and of clients. Bytes that came with
 * the head go first.
 */
import { once } from 'node:events'
import {
  createServer,
  request,
  type ClientRequest,
  type IncomingMessage,
  type Server,
} from 'node:http'
import { connect as connectTcp, type Socket } from 'node:net'
import { expect } from 'chai'
import { attach, BufferList, transfer, UnsupportedEndpointError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { destroyed, tcpPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { failure, refusal } from '../transfer/outcomes.js'

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'
const ASKING = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'

type Upgrade = [IncomingMessage, Socket, Buffer]

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  afterwards(() => void server.close())
  await once(server, 'listening')
  return (server.address() as { port: number }).port
}

function kept(socket: Socket): Socket {
  afterwards(() => destroyed(socket))
  return socket
}

/** A server's socket after an upgrade whose first bytes came with the request. */
async function upgradedServer(first: Uint8Array): Promise<{ upgrade: Upgrade; client: Socket }> {
  const server = createServer()
  const upgrading = once(server, 'upgrade') as unknown as Promise<Upgrade>
  const client = kept(connectTcp(await listening(server), '127.0.0.1'))
  client.write(Buffer.concat([Buffer.from(ASKING), first]))
  const upgrade = await upgrading
  kept(upgrade[1])
  return { upgrade, client }
}

describe("The socket of a server's 'upgrade'", () => {
  it('is attached with its head given back first', async () => {
    const sent = bytes(1, 300_000)
    const { upgrade, client } = await upgradedServer(sent.subarray(0, 1_000))
    const [, socket, head] = upgrade
    expect(head.length).to.equal(1_000)
    await using peer = attach(socket)
    peer.unpull(new BufferList(head))
    client.write(sent.subarray(1_000))
    await peer.push(new BufferList(SWITCHING))
    using list = await peer.pull(300_000)
    expectSameBytes(list.toBuffer(), sent)
    const collector = new Collector(client)
    await peer.push(list)
    await collector.take(SWITCHING.length)
    expectSameBytes(await collector.take(300_000), sent)
  })

  it('may as well have its head unshifted before', async () => {
    const { upgrade, client } = await upgradedServer(Buffer.from('head, '))
    const [, socket, head] = upgrade
    socket.unshift(head)
    await using peer = attach(socket)
    client.write('body')
    using list = await peer.pull(10)
    expect(list.toString()).to.equal('head, body')
  })

  it('is a source and a sink of a transfer', async () => {
    const { upgrade, client } = await upgradedServer(Buffer.alloc(0))
    const [, socket] = upgrade
    const sent = bytes(2, 1_000_000)
    const collector = new Collector(client)
    client.end(sent)
    const { bytesMoved, eof } = await transfer(socket, socket)
    expect({ bytesMoved, eof }).to.deep.equal({ bytesMoved: sent.length, eof: true })
    expectSameBytes(await collector.take(sent.length), sent)
  })
})

describe("The socket of a client's 'upgrade'", () => {
  it('is attached with its head given back first', async () => {
    const { client: asking, server: answering } = await tcpPair()
    const upgrading = asked({ createConnection: () => asking }).then(
      (outgoing) => once(outgoing, 'upgrade') as unknown as Promise<Upgrade>,
    )
    await once(answering.resume(), 'data')
    answering.write(Buffer.concat([Buffer.from(SWITCHING), bytes(3, 100)]))
    const [, socket, head] = await upgrading
    expect(socket).to.equal(asking)
    await using peer = attach(socket)
    peer.unpull(new BufferList(head))
    answering.write(bytes(3, 50_000).subarray(100))
    using list = await peer.pull(50_000)
    expectSameBytes(list.toBuffer(), bytes(3, 50_000))
    const collector = new Collector(answering)
    await peer.push(list)
    expectSameBytes(await collector.take(50_000), bytes(3, 50_000))
  })
})

describe('A CONNECT tunnel', () => {
  it('is two transfers, each with the bytes that came early first', async () => {
    const { client: upstreamPeer, server: upstream } = await tcpPair()
    const proxy = createServer()
    const tunnelling = new Promise<number[]>((resolve, reject) => {
      proxy.on('connect', (_request: IncomingMessage, socket: Socket, head: Buffer) => {
        kept(socket)
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        const from = attach(socket)
        const to = attach(upstream)
        from.unpull(new BufferList(head))
        Promise.all([transfer(from, to), transfer(to, from)])
          .then(async (results) => {
            await Promise.all([from.detach(), to.detach()])
            upstream.end()
            socket.end()
            return results.map(({ bytesMoved }) => bytesMoved)
          })
          .then(resolve, reject)
      })
    })
    const client = kept(
      connectTcp({ port: await listening(proxy), host: '127.0.0.1', allowHalfOpen: true }),
    )
    const there = bytes(4, 2_000_000)
    const back = bytes(5, 1_500_000)
    // The client does not wait for the answer: its first bytes are the head.
    client.end(Buffer.concat([Buffer.from('CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n'), there]))
    upstreamPeer.end(back)
    const arrived = new Collector(upstreamPeer).rest()
    const answered = await new Collector(client).rest()
    expectSameBytes(await arrived, there)
    expectSameBytes(answered.subarray('HTTP/1.1 200 OK\r\n\r\n'.length), back)
    expect(await tunnelling).to.deep.equal([there.length, back.length])
  })

  it("of a client is its 'connect' socket", async () => {
    const { client: asking, server: answering } = await tcpPair()
    const connecting = asked({ method: 'CONNECT', createConnection: () => asking }).then(
      (outgoing) => once(outgoing, 'connect') as unknown as Promise<Upgrade>,
    )
    await once(answering.resume(), 'data')
    answering.write('HTTP/1.1 200 OK\r\n\r\nearly ')
    const [, socket, head] = await connecting
    await using peer = attach(socket)
    peer.unpull(new BufferList(head))
    answering.end('late')
    using list = await peer.pull(100)
    expect(list.toString()).to.equal('early late')
  })
})

describe("A socket that Node's HTTP parser reads", () => {
  it('is refused as a source before the upgrade, and taken after it', async () => {
    const server = createServer()
    const refused: Promise<Error>[] = []
    server.on('connection', (socket: Socket) => {
      refused.push(
        refusal(() => attach(socket)),
        failure(new BufferList().spliceFrom(socket, 1)),
      )
    })
    const upgrading = once(server, 'upgrade') as unknown as Promise<Upgrade>
    const client = kept(connectTcp(await listening(server), '127.0.0.1'))
    client.write(ASKING)
    const [, socket] = await upgrading
    kept(socket)
    for (const error of await Promise.all(refused)) {
      expect(error).to.be.instanceOf(UnsupportedEndpointError)
      expect((error as UnsupportedEndpointError).remedy).to.include("'upgrade'")
    }
    await attach(socket).detach()
  })
})

/** A request that asks for another protocol, sent. */
async function asked(options: {
  method?: string
  createConnection: () => Socket
}): Promise<ClientRequest> {
  const headers = { Connection: 'Upgrade', Upgrade: 'x' }
  const outgoing = request({ path: 'x:1', host: '127.0.0.1', headers, ...options })
  outgoing.end()
  await Promise.resolve()
  return outgoing
}
