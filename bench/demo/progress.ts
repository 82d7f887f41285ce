/** What the demo says on stderr while it runs: a bar on a terminal, plain lines anywhere else. */
const BAR_CELLS = 24
const CLEAR_LINE = '\r\u001b[2K'

export class Progress {
  readonly #isTerminal = process.stderr.isTTY
  readonly #runs: number
  #doneRuns = 0
  #label = ''

  constructor(runs: number) {
    this.#runs = runs
  }

  /** A step that is not a run. */
  step(text: string): void {
    if (this.#isTerminal) process.stderr.write(`${CLEAR_LINE}${text} …`)
    else process.stderr.write(`${text}\n`)
  }

  startRun(label: string): void {
    this.#label = label
    this.update(0)
  }

  /** How much of the run is done, from 0 to 1. */
  update(fraction: number): void {
    if (!this.#isTerminal) return
    const done = (this.#doneRuns + Math.min(fraction, 1)) / this.#runs
    const cells = Math.round(done * BAR_CELLS)
    const bar = '█'.repeat(cells) + '░'.repeat(BAR_CELLS - cells)
    const percent = `${Math.floor(done * 100)} %`.padStart(5)
    process.stderr.write(`${CLEAR_LINE}${bar} ${percent}  ${this.#label}`)
  }

  endRun(summary: string): void {
    this.#doneRuns += 1
    if (!this.#isTerminal) process.stderr.write(`${this.#label}: ${summary}\n`)
  }

  /** Leaves a clean line for whatever comes next. */
  close(): void {
    if (this.#isTerminal) process.stderr.write(CLEAR_LINE)
  }
}
