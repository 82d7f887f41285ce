/** Building a message: a header of integers, a name, and a payload that is already there. */
import { BufferList } from 'splicelist'
import { repeated, type Case, type Contender } from '../harness/case.js'
import { segments } from './inputs.js'
import { Bl, Uint8ArrayList } from './peers.js'

const HEADER_BYTES = 21
const NAME = 'rbd_data.1f2e3d4c5b6a.0000'
const ID = 0x1122334455667788n

export const MESSAGE: readonly Case[] = [message(4), message(64)]

function message(payloadKiB: number): Case {
  return {
    name: `message/${payloadKiB}-KiB`,
    operation: `a message built of 6 integers, a name, and ${payloadKiB} KiB of payload`,
    unit: 'ns',
    contenders: {
      splicelist: building(
        payloadKiB,
        () => (sequence, payload) =>
          new BufferList()
            .appendUInt8(1)
            .appendUInt16LE(42)
            .appendUInt16LE(NAME.length)
            .appendBigUInt64LE(ID)
            .appendUInt32LE(sequence)
            .appendUInt32LE(payload.length)
            .append(NAME)
            .append(payload),
      ),
      bl: building(payloadKiB, () => (sequence, payload) => {
        const list = new Bl()
        list.append(headerOf(sequence, payload))
        list.append(NAME)
        list.append(payload)
        return list
      }),
      uint8arraylist: building(payloadKiB, () => (sequence, payload) => {
        const list = new Uint8ArrayList()
        list.append(headerOf(sequence, payload), Buffer.from(NAME), payload)
        return list
      }),
      Buffer: building(
        payloadKiB,
        () => (sequence, payload) =>
          Buffer.concat([headerOf(sequence, payload), Buffer.from(NAME), payload]),
      ),
    },
  }
}

type Build = (sequence: number, payload: Buffer) => { readonly length: number }

function building(payloadKiB: number, prepare: () => Build | string): Contender {
  return () => {
    const build = prepare()
    if (typeof build === 'string') return build
    const [payload = Buffer.alloc(0)] = segments(1, payloadKiB * 1024)
    let sequence = 0
    return repeated(() => build(sequence++ >>> 0, payload).length)
  }
}

function headerOf(sequence: number, payload: Buffer): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  header.writeUInt8(1, 0)
  header.writeUInt16LE(42, 1)
  header.writeUInt16LE(NAME.length, 3)
  header.writeBigUInt64LE(ID, 5)
  header.writeUInt32LE(sequence, 13)
  header.writeUInt32LE(payload.length, 17)
  return header
}
