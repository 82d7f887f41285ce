/** What both lists can do: done to ours, and said as a command to Ceph's. */
import { EndOfBufferError, InvalidArgumentError, type BufferList } from 'splicelist'
import { noise } from '../fuzz/contents.js'
import { Places } from '../fuzz/places.js'
import type { Step } from '../fuzz/step.js'

/** Pieces of one step, zeros and bytes of a hole at the most. */
const PIECES_MAX = 300
const ZEROS_MAX = 70_000
const HOLE_BYTES_MAX = 5000
/** What is read as hex, dumped and encoded at the most, in bytes. */
const SHOWN_BYTES_MAX = 3000
/** Bytes that both know, and ranges of which are appended. */
export const content = noise.subarray(0, 70_000)

/** What was done: to Ceph's list, to ours, and what ours answered. */
export interface Done {
  readonly command: string
  readonly code: string
  readonly answer: string
  /** What of both answers must be the same, where that is not all of it. */
  readonly essence?: (answer: string) => string
}

type Operation = (turn: CephTurn) => Done

/** One step on its way. */
export class CephTurn extends Places {
  readonly #lists: BufferList[]
  readonly a: number
  readonly b: number

  constructor(lists: BufferList[], step: Step) {
    super(step)
    this.#lists = lists
    this.a = step.a
    this.b = step.b
  }
  get list(): BufferList {
    return this.#lists[this.a] as BufferList
  }
  set list(list: BufferList) {
    this.#lists[this.a] = list
  }
  get other(): BufferList {
    return this.#lists[this.b] as BufferList
  }
  set other(list: BufferList) {
    this.#lists[this.b] = list
  }
  /** A range of the list; now and then one that ends outside. */
  rangeMaybeOutside(): [offset: number, length: number] {
    const [offset, length] = this.rangeIn(this.list)
    return [offset, this.#isOutside() ? this.list.length - offset + 1 + this.number : length]
  }
  /** An offset; now and then one that lies outside. */
  offsetMaybeOutside(): number {
    return this.#isOutside() ? this.list.length + this.number : this.offsetIn(this.list)
  }
  #isOutside(): boolean {
    return this.number % 8 === 7
  }
}

/** A list as the interpreter says it. */
function shape(list: BufferList): string {
  return `${list.length} ${list.crc32c(0xffffffff)}`
}

/** What a call answers, or the interpreter's word for a range that is not there. */
function orEnd(call: () => string): string {
  try {
    return call()
  } catch (error) {
    if (error instanceof EndOfBufferError || error instanceof InvalidArgumentError) {
      return 'end_of_buffer'
    }
    throw error
  }
}

const name = (index: number): string => 'abcd'.charAt(index)

const shared: Readonly<Record<string, Operation>> = {
  'append(ptr)': (turn) => {
    const [offset, length] = turn.rangeOf(content.length)
    turn.list.append(content.subarray(offset, offset + length))
    return {
      command: `append_ptr ${turn.a} ${offset} ${length}`,
      code: `${name(turn.a)}.append(content.subarray(${offset}, ${offset + length}))`,
      answer: shape(turn.list),
    }
  },
  append: (turn) => {
    const [offset, length] = turn.rangeOf(content.length)
    turn.list.appendCopy(content.subarray(offset, offset + length))
    return {
      command: `append ${turn.a} ${offset} ${length}`,
      code: `${name(turn.a)}.appendCopy(content.subarray(${offset}, ${offset + length}))`,
      answer: shape(turn.list),
    }
  },
  'append(ptr), often': (turn) => {
    const start = turn.rangeOf(content.length - 3 * PIECES_MAX)[0]
    const pieces = turn.length(PIECES_MAX)
    let at = start
    for (let i = 0; i < pieces; i++) {
      turn.list.append(content.subarray(at, at + 1 + (i % 3)))
      at += 1 + (i % 3)
    }
    return {
      command: `append_pieces ${turn.a} ${start} ${pieces}`,
      code: `pieces(${start}, ${pieces}).forEach((piece) => ${name(turn.a)}.append(piece))`,
      answer: shape(turn.list),
    }
  },
  append_zero: (turn) => {
    const length = turn.length(ZEROS_MAX)
    turn.list.appendZero(length)
    return {
      command: `append_zero ${turn.a} ${length}`,
      code: `${name(turn.a)}.appendZero(${length})`,
      answer: shape(turn.list),
    }
  },
  prepend_zero: (turn) => {
    const length = turn.length(ZEROS_MAX)
    turn.list.prependZero(length)
    return {
      command: `prepend_zero ${turn.a} ${length}`,
      code: `${name(turn.a)}.prependZero(${length})`,
      answer: shape(turn.list),
    }
  },
  append_hole: (turn) => {
    // Of no bytes, in an empty list, Ceph's hole is an abort.
    const length = 1 + turn.length(HOLE_BYTES_MAX)
    const [offset, behind] = turn.rangeOf(content.length - length)
    const hole = turn.list.appendHole(length)
    turn.list.appendCopy(content.subarray(offset, offset + behind))
    hole.fill(content.subarray(offset, offset + length))
    return {
      command: `append_hole ${turn.a} ${offset} ${length} ${offset} ${behind}`,
      code: `${name(turn.a)}.appendHole(${length}), ${behind} bytes behind it, then fill`,
      answer: shape(turn.list),
    }
  },
  'append(list)': (turn) => {
    turn.list.append(turn.other)
    return {
      command: `append_list ${turn.a} ${turn.b}`,
      code: `${name(turn.a)}.append(${name(turn.b)})`,
      answer: shape(turn.list),
    }
  },
  claim_append: (turn) => {
    turn.list.claimAppend(turn.other)
    return {
      command: `claim_append ${turn.a} ${turn.b}`,
      code: `${name(turn.a)}.claimAppend(${name(turn.b)})`,
      answer: `${shape(turn.list)} ${shape(turn.other)}`,
    }
  },
  substr_of: (turn) => {
    const [offset, length] = turn.rangeMaybeOutside()
    return {
      command: `substr_of ${turn.a} ${turn.b} ${offset} ${length}`,
      code: `${name(turn.b)} = ${name(turn.a)}.substr(${offset}, ${length})`,
      answer: orEnd(() => {
        turn.other = turn.list.substr(offset, length)
        return shape(turn.other)
      }),
    }
  },
  splice: (turn) => {
    const [offset, length] = turn.rangeIn(turn.list)
    return {
      command: `splice ${turn.a} ${turn.b} ${offset} ${length}`,
      code: `${name(turn.b)} = ${name(turn.a)}.splice(${offset}, ${length})`,
      answer: orEnd(() => {
        const removed = turn.list.splice(offset, length)
        const answer = shape(turn.list)
        turn.other = removed
        return `${answer} ${shape(removed)}`
      }),
    }
  },
  'splice, from outside': (turn) => {
    const offset = turn.list.length + turn.number
    return {
      command: `splice ${turn.a} ${turn.b} ${offset} 1`,
      code: `${name(turn.a)}.splice(${offset}, 1)`,
      answer: orEnd(() => shape(turn.list.splice(offset, 1))),
    }
  },
  'splice, at the front': (turn) => {
    const length = turn.length(turn.list.length)
    const isTaken = turn.number % 2 === 0
    return {
      command: `splice ${turn.a} ${turn.b} 0 ${length}`,
      code: `${name(turn.b)} = ${name(turn.a)}.${isTaken ? 'take' : 'substr and consume'}(${length})`,
      answer: orEnd(() => {
        const taken = isTaken ? turn.list.take(length) : turn.list.substr(0, length)
        if (!isTaken) turn.list.consume(length)
        const answer = shape(turn.list)
        turn.other = taken
        return `${answer} ${shape(taken)}`
      }),
    }
  },
  'splice, at the end': (turn) => {
    const left = turn.list.length - turn.length(turn.list.length)
    turn.list.truncate(left)
    return {
      command: `truncate ${turn.a} ${left}`,
      code: `${name(turn.a)}.truncate(${left})`,
      answer: shape(turn.list),
    }
  },
  'splice, and something else in its place': (turn) => {
    const [offset, length] = turn.rangeIn(turn.list)
    turn.list.splice(offset, length, turn.other).release()
    return {
      command: `replace ${turn.a} ${offset} ${length} ${turn.b}`,
      code: `${name(turn.a)}.splice(${offset}, ${length}, ${name(turn.b)})`,
      answer: shape(turn.list),
    }
  },
  c_str: (turn) => {
    turn.list.cStr()
    return {
      command: `flatten ${turn.a}`,
      code: `${name(turn.a)}.cStr()`,
      answer: shape(turn.list),
    }
  },
  rebuild: (turn) => {
    turn.list.rebuild()
    return {
      command: `rebuild ${turn.a}`,
      code: `${name(turn.a)}.rebuild()`,
      answer: shape(turn.list),
    }
  },
  'operator[]': (turn) => {
    const index = turn.offsetMaybeOutside()
    return {
      command: `byte ${turn.a} ${index}`,
      code: `${name(turn.a)}.byteAt(${index})`,
      answer: orEnd(() => `${turn.list.byteAt(index)}`),
    }
  },
  'iterator.copy(bytes)': (turn) => {
    const [offset, asked] = turn.rangeMaybeOutside()
    const isOutside = offset + asked > turn.list.length
    const length = isOutside ? asked : Math.min(asked, SHOWN_BYTES_MAX)
    return {
      command: `read ${turn.a} ${offset} ${length}`,
      code: `${name(turn.a)}.cursor(${offset}).readString(${length}, 'hex')`,
      answer: orEnd(() => {
        const cursor = turn.list.cursor(offset)
        const hex = cursor.readString(length, 'hex')
        return `${hex} ${cursor.offset} ${cursor.remaining}`
      }),
    }
  },
  'iterator.copy(list)': (turn) => {
    const offset = turn.offsetMaybeOutside()
    const skipped = turn.number % 4
    const [ahead, length] = turn.rangeMaybeOutside()
    const after = ahead % 3
    return {
      command: `walk ${turn.a} ${offset} ${skipped} ${length} ${after}`,
      code: `${name(turn.a)}.cursor(${offset}).skip(${skipped}).readList(${length}), skip(${after})`,
      answer: orEnd(() => {
        const cursor = turn.list.cursor(offset).skip(skipped)
        const taken = cursor.readList(length)
        return `${cursor.skip(after).offset} ${shape(taken)}`
      }),
    }
  },
  crc32c: (turn) => {
    const seed = turn.choose([0, 0xffffffff, 1, turn.number * 0x1010101])
    return {
      command: `crc ${turn.a} ${seed}`,
      code: `${name(turn.a)}.crc32c(${seed})`,
      answer: `${turn.list.crc32c(seed)}`,
    }
  },
  'iterator.crc32c': (turn) => {
    const [offset, length] = turn.rangeIn(turn.list)
    const seed = turn.choose([0, 0xffffffff, turn.number * 0x1010101])
    return {
      command: `crc_of_range ${turn.a} ${offset} ${length} ${seed}`,
      code: `${name(turn.a)}.substr(${offset}, ${length}).crc32c(${seed})`,
      answer: `${turn.list.substr(offset, length).crc32c(seed)}`,
    }
  },
  'operator==': (turn) => {
    const isSame = turn.list.equals(turn.other) ? '11' : '00'
    return {
      command: `compare ${turn.a} ${turn.b}`,
      code: `${name(turn.a)}.equals(${name(turn.b)})`,
      // Its order is of signed bytes where `char` is signed: what each says then is not compared.
      answer: `${isSame} ${signedOrder(turn.list.toBuffer(), turn.other.toBuffer())}`,
    }
  },
  is_zero: (turn) => ({
    command: `is_zero ${turn.a}`,
    code: `${name(turn.a)}.isZero()`,
    answer: turn.list.isZero() ? '1' : '0',
  }),
  encode_base64: (turn) => {
    const [offset, length] = turn.rangeIn(turn.list)
    const piece = turn.list.substr(offset, Math.min(length, SHOWN_BYTES_MAX))
    turn.other = piece
    return {
      command: `substr_of ${turn.a} ${turn.b} ${offset} ${piece.length}\nbase64 ${turn.b}`,
      code: `(${name(turn.b)} = ${name(turn.a)}.substr(${offset}, ${piece.length})).toString('base64')`,
      answer: `${shape(piece)}\n"${piece.toString('base64')}"`,
    }
  },
  hexdump: (turn) => {
    const [offset, length] = turn.rangeIn(turn.list)
    const piece = turn.list.substr(offset, Math.min(length, SHOWN_BYTES_MAX))
    turn.other = piece
    return {
      command: `substr_of ${turn.a} ${turn.b} ${offset} ${piece.length}\nhexdump ${turn.b}`,
      code: `(${name(turn.b)} = ${name(turn.a)}.substr(${offset}, ${piece.length})).hexdump()`,
      answer: `${shape(piece)}\n${Buffer.from(piece.hexdump()).toString('hex')}`,
      essence: withEveryRow,
    }
  },
  clear: (turn) => {
    turn.list.consume(turn.list.length)
    return {
      command: `clear ${turn.a}`,
      code: `${name(turn.a)}.consume(${name(turn.a)}.length)`,
      answer: shape(turn.list),
    }
  },
}

/** The dump of an answer with the rows that stars stand for: which those are, differs on purpose. */
function withEveryRow(answer: string): string {
  const [shaped = '', dump = ''] = answer.split('\n')
  const rows: string[] = []
  let isStarred = false
  for (const line of Buffer.from(dump, 'hex').toString().trimEnd().split('\n')) {
    if (line === '*') {
      isStarred = true
      continue
    }
    const row = Number.parseInt(line.slice(0, 8), 16) >>> 4
    while (isStarred && rows.length < row) rows.push(rows.at(-1) ?? '')
    isStarred = false
    rows.push(line.slice(8))
  }
  return `${shaped}\n${rows.join('\n')}`
}

/** Ceph's `<` and `>`. */
function signedOrder(a: Buffer, b: Buffer): string {
  const common = Math.min(a.length, b.length)
  let at = 0
  while (at < common && a[at] === b[at]) at++
  const order = at < common ? a.readInt8(at) - b.readInt8(at) : a.length - b.length
  return `${Number(order < 0)}${Number(order > 0)}`
}

/** How often some come, beside the others: lists must grow to be worth cutting. */
const WEIGHTS: Readonly<Record<string, number>> = {
  'append(ptr)': 8,
  append: 6,
  'append(list)': 3,
  'append(ptr), often': 2,
  splice: 3,
  'iterator.copy(list)': 2,
  clear: 0.5,
}

/** Every operation, by Ceph's name. */
export const CEPH_OPERATIONS = shared
/** Their names, each as often as it is to come. */
export const CEPH_NAMES = Object.keys(shared).flatMap((each) =>
  new Array<string>(2 * (WEIGHTS[each] ?? 1)).fill(each),
)
