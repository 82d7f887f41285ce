/**
 * What a list must hold: flat bytes. Beside them it knows which bytes cannot be read yet, because
 * they are still in a file. A model never changes: operations make new ones.
 */

/**
 * Which bytes of files were loaded. Every byte that came from a file has a cell here, which goes with
 * it wherever it is cut and copied to; loading it through one list makes it readable in all.
 */
export class Cells {
  /** By cell; cell 0 is memory, and always readable. */
  readonly #isLoaded: boolean[] = [true]

  /** New cells for the bytes of an extent. */
  add(length: number, isLoaded: boolean): Int32Array {
    const first = this.#isLoaded.length
    const cells = new Int32Array(length)
    for (let i = 0; i < length; i++) {
      this.#isLoaded.push(isLoaded)
      cells[i] = first + i
    }
    return cells
  }
  /** Whether all of these can be read. */
  areLoaded(cells: Int32Array | null): boolean {
    return cells === null || cells.every((cell) => this.#isLoaded[cell])
  }
  /** Remembers that these were loaded. */
  load(cells: Int32Array): void {
    for (const cell of cells) this.#isLoaded[cell] = true
  }
}

/** See the head of this file. */
export class Model {
  static readonly EMPTY = new Model(Buffer.alloc(0))
  readonly bytes: Buffer
  /** The cell of each byte; null where all are memory. */
  readonly cells: Int32Array | null

  constructor(bytes: Buffer, cells: Int32Array | null = null) {
    this.bytes = bytes
    this.cells = cells
  }
  /** One after the other. */
  static join(...models: readonly Model[]): Model {
    const filled = models.filter((model) => model.length > 0)
    const [only] = filled
    if (only === undefined) return Model.EMPTY
    if (filled.length === 1) return only
    const bytes = Buffer.concat(filled.map((model) => model.bytes))
    if (filled.every((model) => model.cells === null)) return new Model(bytes)
    const cells = new Int32Array(bytes.length)
    let at = 0
    for (const model of filled) {
      if (model.cells !== null) cells.set(model.cells, at)
      at += model.length
    }
    return new Model(bytes, cells)
  }

  get length(): number {
    return this.bytes.length
  }
  /** A range; to the end by default. */
  slice(offset: number, length = this.length - offset): Model {
    const end = offset + length
    return new Model(this.bytes.subarray(offset, end), this.cells?.subarray(offset, end) ?? null)
  }
  /** What it is with a range replaced. */
  splice(offset: number, length: number, replacement: Model = Model.EMPTY): Model {
    return Model.join(this.slice(0, offset), replacement, this.slice(offset + length))
  }
  /** The same bytes in memory. */
  inMemory(): Model {
    return new Model(this.bytes)
  }
}
