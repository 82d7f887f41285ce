/**
 * A checksummed frame from wire to wire: its payload is forwarded with a checksum that nobody here has
 * computed, and none of its bytes is looked at.
 */
import { expect } from 'chai'
import { attach, BufferList, crc32c } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { needsPages } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { accounted } from '../transfer/account.js'
import { Collector } from '../transfer/collector.js'

const PAYLOAD_BYTES = 300_000
/** Length and checksum of the payload; at the end the checksum of all that is before it. */
const HEADER_BYTES = 8
const TRAILER_BYTES = 4

function frame(payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32LE(payload.length, 0)
  header.writeInt32LE(crc32c(payload) | 0, 4)
  return Buffer.concat([header, payload])
}

describe('A checksummed frame', () => {
  for (const pulls of [1, 3]) {
    it(`that comes in ${pulls} pulls passes from wire to wire in a frame of its own, unread and with its checksum`, async function () {
      needsPages(this)
      const payload = bytes(1, PAYLOAD_BYTES)
      const [here, there] = [await tcpPair(), await tcpPair()]
      here.client.write(frame(payload))
      const arrived = new Collector(there.server)

      const peer = attach(here.server)
      const head = (await peer.pull(HEADER_BYTES)).cursor()
      const [length, crc] = [head.readUInt32LE(), head.readInt32LE()]
      const { result: whole, account } = await accounted(async () => {
        using body = new BufferList()
        for (let left = pulls; left > 0; left--) {
          body.claimAppend(await peer.pull((length - body.length) / left))
        }
        body.carryCrc32c(crc)
        using list = new BufferList('new header').append(body)
        const sum = list.crc32c()
        list.appendInt32LE(sum | 0)
        await list.spliceTo(there.client)
        return sum
      })
      await peer.detach()

      const copied = Object.keys(account.copied)
      expect(copied, 'copied').not.to.include('look').and.not.to.include('cStr')
      const all = await arrived.take('new header'.length + PAYLOAD_BYTES + TRAILER_BYTES)
      expect(crc32c(all.subarray(0, -TRAILER_BYTES)) | 0).to.equal(whole | 0)
      expect(all.readInt32LE(all.length - TRAILER_BYTES)).to.equal(whole | 0)
      expect(all.subarray(10, -TRAILER_BYTES).equals(payload)).to.equal(true)
    })
  }

  it('that was damaged on its way carries a checksum that does not fit, for its reader to find', async function () {
    needsPages(this)
    const { client, server } = await tcpPair()
    client.write(bytes(2, PAYLOAD_BYTES))
    const peer = attach(server)
    using body = await peer.pull(PAYLOAD_BYTES)
    body.carryCrc32c(crc32c(bytes(3, PAYLOAD_BYTES)))
    expect(crc32c(body.cStr())).not.to.equal(body.crc32c())
    await peer.detach()
  })
})
