/**
 * What the ledger could make dearer: calls on the list that copy, some that do not, and messages and
 * files over loopback.
 */
import { once } from 'node:events'
import { mkdtemp, open, rm } from 'node:fs/promises'
import net from 'node:net'
import { join } from 'node:path'
import { attach, BufferList, transfer, type Endpoint } from 'splicelist'

/** One run of a case, and how many operations it is. */
export interface Work {
  readonly operations: number
  readonly run: () => void | Promise<void>
  readonly close: () => void | Promise<void>
}

export type Case = () => Work | Promise<Work>

const CALLS = 10_000
const MESSAGES = 200
/** A folder in memory: no disk takes part. */
const FOLDER = '/dev/shm/splicelist-ledger-'

/** A call on a list, many times; its list is made anew for each run. */
function calls(make: () => BufferList, call: (list: BufferList, i: number) => unknown): Case {
  let sink: unknown
  return () => ({
    operations: CALLS,
    run: () => {
      const list = make()
      for (let i = 0; i < CALLS; i++) sink = call(list, i)
    },
    close: () => {
      if (sink === undefined) throw new Error('Nothing was measured')
    },
  })
}

const scratch = Buffer.alloc(16, 'x')
const parts = Array.from({ length: 64 }, (_, i) => Buffer.alloc(1024, i))
const joined = (): BufferList => BufferList.from(parts)

async function tcpPair(): Promise<[Endpoint, Endpoint, () => void]> {
  const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
  const [accepted] = (await once(server, 'connection')) as [net.Socket]
  server.close()
  const close = (): void => {
    client.destroy()
    accepted.destroy()
  }
  return [attach(client), attach(accepted), close]
}

/** Messages there and back over loopback TCP, one at a time. */
function messages(lengthBytes: number): Case {
  return async () => {
    const [a, b, close] = await tcpPair()
    const message = new BufferList(Buffer.alloc(lengthBytes, 'm'))
    return {
      operations: MESSAGES,
      run: async () => {
        for (let i = 0; i < MESSAGES; i++) {
          const [, there] = await Promise.all([a.push(message), b.pull(lengthBytes)])
          const [, back] = await Promise.all([
            b.push(there, { consume: true }),
            a.pull(lengthBytes),
          ])
          back.release()
        }
      },
      close,
    }
  }
}

/** A file of `lengthBytes` to a socket, and from there to a file. */
function throughSocket(lengthBytes: number): Case {
  return async () => {
    const [a, b, close] = await tcpPair()
    const folder = await mkdtemp(FOLDER)
    const from = await open(join(folder, 'from'), 'w+')
    const to = await open(join(folder, 'to'), 'w+')
    await from.writeFile(Buffer.alloc(lengthBytes, 'f'))
    return {
      operations: 1,
      run: async () => {
        await Promise.all([
          transfer({ file: from, offset: 0 }, a, { length: lengthBytes }),
          transfer(b, { file: to, offset: 0 }, { length: lengthBytes }),
        ])
      },
      close: async () => {
        close()
        await from.close()
        await to.close()
        await rm(folder, { recursive: true })
      },
    }
  }
}

export const CASES: Readonly<Record<string, Case>> = {
  'append a view': calls(
    () => new BufferList(),
    (list) => list.append(scratch),
  ),
  'appendCopy of 16 bytes': calls(
    () => new BufferList(),
    (list) => list.appendCopy(scratch),
  ),
  'append a string': calls(
    () => new BufferList(),
    (list) => list.append('a header'),
  ),
  'toBuffer of 64 bytes': calls(joined, (list, i) => list.toBuffer((i % 63) * 1024, 64)),
  'cStr of 64 bytes across segments': calls(joined, (list, i) =>
    list.cStr((i % 62) * 1024 + 1000, 64),
  ),
  'substr of 10 segments': calls(joined, (list, i) => list.substr((i % 50) * 1024 + 7, 10_240)),
  'messages of 1 KiB over TCP': messages(1024),
  'messages of 64 KiB over TCP': messages(65_536),
  'file to TCP to file, 16 MiB': throughSocket(16 << 20),
}
