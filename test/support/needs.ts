/**
 * What a test needs of the platform. Where it is missing, the test is skipped, not passed.
 */
import type { Context } from 'mocha'
import { addon } from '#lib/native.js'

/** Whether there is an addon. */
export const hasAddon = addon !== null
/** Whether bytes may move by reference. */
export const hasPages = hasAddon && process.env['SPLICELIST_MODE'] !== 'copy'

/** Skips a test where there is no addon: pipes, waits, slabs, scripted system calls. */
export function needsAddon(test: Context): void {
  if (!hasAddon) test.skip()
}

/** Skips a test where transfers may only copy: it looks for bytes that moved by reference. */
export function needsPages(test: Context): void {
  if (!hasPages) test.skip()
}
