/**
 * Memory as scenes of the sweep: pages that are given, and pages that are lent.
 */
import { expect } from 'chai'
import { allocPages, BufferList, NoPagesError, type PageBuffer } from 'splicelist'
import { resent, target, type PlaceKind } from './ends.js'
import type { Outcome, Prepared, Scene } from './scenes.js'

/** What a producer writes over memory that is its own again. */
const OVERWRITTEN = 0xee

/** Pages that are made, filled, given or lent, and sent, all while the script is in force. */
export function sendingMemory(verb: 'gift' | 'loan', to: PlaceKind): Scene {
  return {
    name: `${verb} → ${to}`,
    sink: to,
    // A gift counts as moved when it is given, a loan when its notice comes.
    isAccounted: false,
    mayGoDirect: false,
    sides: { sendmsg: 'sink', writev: 'sink', write: 'sink', pwrite: 'sink' },
    prepare: (content) => preparedMemory(verb, to, content),
  }
}

async function preparedMemory(
  verb: 'gift' | 'loan',
  to: PlaceKind,
  content: Buffer,
): Promise<Prepared> {
  const there = await target(to, content.length)
  let pages: PageBuffer | undefined
  let list = new BufferList()
  let back: Promise<unknown> | undefined
  return {
    run: async (running) => {
      pages = allocPages(content.length)
      pages.bytes.set(content)
      if (verb === 'gift') list = pages.gift()
      else {
        const { bytes } = pages
        const lent = pages.loan()
        list = lent.list
        // Whoever still refers to the memory would show it.
        back = lent.returned.then(() => bytes.fill(OVERWRITTEN))
        back.catch(() => undefined)
      }
      await list.spliceTo(there.sink, { consume: true, ...running })
    },
    finish: async (error): Promise<Outcome> => {
      const part = await there.taken(content.length, error)
      using rest = list.take(list.length)
      const whole = error === undefined ? part : Buffer.concat([part, await resent(to, rest)])
      rest.release()
      list.release()
      // Where the kernel gave no notice, it is lost with the socket.
      await there.close()
      await back?.catch((lost: unknown) => expect(lost).to.be.instanceOf(NoPagesError))
      pages?.release()
      return { accepted: part.length, whole }
    },
  }
}
