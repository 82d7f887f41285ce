/** What benchmarks write besides their tables. */

/** Whoever read the table (`… | head`) has seen enough. */
export function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
}

/** On a terminal: one line that the next one replaces. */
export function showStep(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${step}`)
}
