import { addon } from '#lib/native.js'
import { afterwards } from '../support/cleanup.js'

/**
 * Lets disk threads move so few bytes a call that they tell how far they are before all is done: they
 * do so after 50 ms. Without the addon nothing changes.
 */
export function slowDisk(maxBytes: number): void {
  addon?.script(['copy_file_range', 'splice'].map((call) => ({ call, maxBytes, times: 1e9 })))
  afterwards(() => addon?.script(null))
}
