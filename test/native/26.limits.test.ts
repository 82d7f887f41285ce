import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { needsAddon } from '../support/needs.js'
import { door } from './door.js'

const numberIn = (path: string): number => Number(readFileSync(path, 'utf8'))

describe('The door to the addon: limits of the system', () => {
  it('are what the system says', function () {
    needsAddon(this)
    const limits = door().limits()
    expect(limits.pageBytes).to.be.oneOf([4096, 16_384, 65_536])
    expect(limits.pipeMaxBytes).to.equal(numberIn('/proc/sys/fs/pipe-max-size'))
    expect(limits.userPagesSoft).to.equal(numberIn('/proc/sys/fs/pipe-user-pages-soft'))
    const hard = numberIn('/proc/sys/fs/pipe-user-pages-hard')
    expect(limits.userPagesHard).to.equal(hard)
    const [, soft = ''] =
      /Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    expect(limits.openFilesMax).to.equal(Number(soft))
    const [, caps = '0'] =
      /CapEff:\s+([0-9a-f]+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    // CAP_SYS_RESOURCE and CAP_SYS_ADMIN.
    const isCapable = (BigInt(`0x${caps}`) & ((1n << 24n) | (1n << 21n))) !== 0n
    // The kernel asks for them in the first user namespace, whose ids are what they are.
    const idMap = readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/).join(' ')
    const isPrivileged = isCapable && idMap === '0 0 4294967295'
    expect(limits.privileged).to.equal(isPrivileged)
  })
})
