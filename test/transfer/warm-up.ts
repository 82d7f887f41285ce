/**
 * What the addon opens once and keeps, opened before the first account of a test is taken.
 */
import { opened } from '#lib/reactor.js'
import { hasAddon } from '../support/needs.js'

if (hasAddon) {
  // It opens /dev/null with the first bytes that it drops.
  const pipe = opened().pipe(1)
  if (typeof pipe !== 'number') {
    opened().discard(pipe, 0)
    opened().drop(pipe)
  }
}
