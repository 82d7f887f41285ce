/**
 * A program that moves bytes in every way there is, for running in hard places: with few descriptors,
 * without system calls, as a user of no rights. What it prints of the bytes must be the same everywhere.
 *
 *     node mover.js FOLDER LISTS    # FOLDER holds a file `source`; LISTS lists are held at once
 *
 * With MOVER_DESCRIPTORS it allows itself no more than so many, once Node has loaded it: the loader
 * of modules opens dozens at a time.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { open, readFile, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import {
  allocPages,
  attach,
  BufferList,
  counters,
  fanOut,
  limits,
  lists,
  proxy,
  transfer,
} from 'splicelist'

/** What the program prints, as JSON. */
export interface Printed {
  /** SHA-256 of everything that arrived anywhere. */
  readonly digest: string
  readonly counters: ReturnType<typeof counters.snapshot>
  /** What was held while all the lists were alive. */
  readonly held: Record<string, number>
  readonly limits: ReturnType<typeof limits.get>
}

const LIST_BYTES = 262_144
const [folder = '', count = '0'] = process.argv.slice(2)
const source = join(folder, 'source')
const hash = createHash('sha256')

const descriptors = process.env['MOVER_DESCRIPTORS']
if (descriptors !== undefined) {
  execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${descriptors}`])
}

function note(bytes: Uint8Array): void {
  hash.update(`${bytes.length}:`).update(bytes)
}

async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const [[accepted]] = (await Promise.all([
    once(server, 'connection'),
    once(client, 'connect'),
  ])) as [[Socket], unknown]
  server.close()
  return [client, accepted]
}

/** Pages of a file, cut, looked at, and sent twice. */
async function windows(): Promise<void> {
  using list = new BufferList()
  await list.spliceFrom({ file: source }, 1_500_000, { hold: 'pages' })
  note(Buffer.from(String(list.crc32c())))
  note(list.cStr(700_000, 100_000))
  using window = list.substr(12_345, 1_000_000)
  window.prepend('header')
  for (const name of ['first', 'second']) {
    await window.spliceTo({ file: join(folder, name) })
    note(await readFile(join(folder, name)))
  }
  await list.spliceTo({ file: join(folder, 'third') }, { consume: true })
  note(await readFile(join(folder, 'third')))
}

/** A conversation over TCP: a payload there, and back. */
async function conversation(): Promise<void> {
  const [client, accepted] = await socketPair()
  using extent = await BufferList.fromFile(source)
  const back = buffer(client)
  const sent = extent.spliceTo(client)
  await using peer = attach(accepted)
  for (let left = extent.length; left > 0;) {
    using part = await peer.pull(Math.min(left, 300_000))
    left -= part.length
    note(part.toBuffer(0, 100))
    await peer.push(part)
  }
  await sent
  await peer.detach()
  accepted.end()
  note(await back)
  client.destroy()
}

/** Whole streams, from a file to a file and to a socket, and from a socket to a file. */
async function streams(): Promise<void> {
  await transfer({ file: source }, { file: join(folder, 'copy') })
  note(await readFile(join(folder, 'copy')))
  const [client, accepted] = await socketPair()
  const received = transfer(accepted, { file: join(folder, 'received') })
  await transfer({ file: source }, client)
  client.end()
  await received
  note(await readFile(join(folder, 'received')))
  client.destroy()
  accepted.destroy()
}

/** A stream list by list, a stream to two places, and two streams that pass each other. */
async function operations(): Promise<void> {
  const [client, accepted] = await socketPair()
  const sending = transfer({ file: source }, client).then(() => client.end())
  await using looped = await open(join(folder, 'looped'), 'w')
  for await (using list of lists(accepted, { chunkBytes: 200_000 })) {
    await list.spliceTo(looped, { consume: true })
  }
  await sending
  note(await readFile(join(folder, 'looped')))

  const [sink, sunk] = await socketPair()
  const fanned = buffer(sunk)
  await fanOut({ file: source }, [sink, { file: join(folder, 'fanned') }])
  sink.end()
  note(await fanned)
  note(await readFile(join(folder, 'fanned')))

  const [[left, a], [b, right]] = [await socketPair(), await socketPair()]
  const passed = [buffer(left), buffer(right)]
  const content = await readFile(source)
  left.end(content)
  right.end(content.subarray(1_000_000))
  await proxy(a, b)
  for (const each of passed) note(await each)
  for (const socket of [client, accepted, sink, sunk, left, a, b, right]) socket.destroy()
}

/** Pages that are given, and pages that are lent and written to again. */
async function memory(): Promise<void> {
  const content = (await readFile(source)).subarray(0, 700_001)
  using pages = allocPages(content.length)
  pages.bytes.set(content)
  const { list, returned } = pages.loan()
  await list.spliceTo({ file: join(folder, 'lent') }, { consume: true })
  list.release()
  await returned
  pages.bytes.fill(7, 0, 1000)
  using given = pages.gift()
  await given.spliceTo({ file: join(folder, 'given') })
  for (const name of ['lent', 'given']) note(await readFile(join(folder, name)))
}

/** Many lists that are alive at once, written one behind the other when all are there. */
async function many(size: number): Promise<Record<string, number>> {
  await using file = await open(source)
  const all: BufferList[] = []
  for (let i = 0; i < size; i++) {
    const list = new BufferList()
    await list.spliceFrom({ file, offset: i * 1000 }, LIST_BYTES, { hold: 'pages' })
    all.push(list)
  }
  const held = { ...counters.snapshot().live }
  await writeFile(join(folder, 'many'), '')
  await using sink = await open(join(folder, 'many'), 'r+')
  for (const list of all) {
    await list.spliceTo(sink)
    list.release()
  }
  note(await readFile(join(folder, 'many')))
  return held
}

await windows()
await conversation()
await streams()
await operations()
await memory()
const held = await many(Number(count))
const printed: Printed = {
  digest: hash.digest('hex'),
  counters: counters.snapshot(),
  held,
  limits: limits.get(),
}
console.log(JSON.stringify(printed))
