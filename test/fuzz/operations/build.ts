/** Operations that add to a list. */
import { BufferList, InvalidArgumentError } from 'splicelist'
import { CONTENT_BYTES, noise } from '../contents.js'
import { Model } from '../model.js'
import type { Operations } from '../operation.js'
import { encoded, SCALARS } from '../scalars.js'
import { expectError, type Turn } from '../turn.js'

/** Pieces of one step: enough for several leaves of a rope. */
const PIECES_MAX = 400
/** Zeros of one step, in bytes: beyond any block that zeros may be windows of. */
const ZEROS_MAX = 70_000

type Encode = (this: BufferList, value: number | bigint) => BufferList

export const build: Operations = {
  append: {
    uses: ['append'],
    weight: 10,
    run: (turn) => {
      const { a } = turn
      const dealt = turn.part()
      turn.say(() => `${a.name}.append(${dealt.code})`)
      a.list.append(dealt.part)
      a.model = Model.join(a.model, dealt.model)
      dealt.end()
    },
  },
  prepend: {
    uses: ['prepend'],
    weight: 6,
    run: (turn) => {
      const { a } = turn
      const dealt = turn.part()
      turn.say(() => `${a.name}.prepend(${dealt.code})`)
      a.list.prepend(dealt.part)
      a.model = Model.join(dealt.model, a.model)
      dealt.end()
    },
  },
  appendCopy: {
    uses: ['appendCopy'],
    weight: 4,
    run: (turn) => {
      const { a } = turn
      const { part, model, code } = turn.plainPart()
      const scratch = typeof part === 'string' ? part : Buffer.from(part as Buffer)
      turn.say(() => `${a.name}.appendCopy(${code})`)
      a.list.appendCopy(scratch)
      a.model = Model.join(a.model, model)
      // What was copied may change.
      if (typeof scratch !== 'string') scratch.fill(0x2a)
    },
  },
  'append many pieces': { uses: ['append'], run: (turn) => addPieces(turn, 'append') },
  'prepend many pieces': {
    uses: ['prepend'],
    weight: 1,
    run: (turn) => addPieces(turn, 'prepend'),
  },
  'append many copies': { uses: ['appendCopy'], run: (turn) => addPieces(turn, 'appendCopy') },
  claimAppend: {
    uses: ['claimAppend'],
    weight: 4,
    run: (turn) => {
      const { a, b } = turn
      turn.say(() => `${a.name}.claimAppend(${b.name})`)
      a.list.claimAppend(b.list)
      if (a === b) return
      a.model = Model.join(a.model, b.model)
      b.model = Model.EMPTY
      b.checkViews()
    },
  },
  'claimAppend of a piece': {
    uses: ['claimAppend', 'substr'],
    run: (turn) => {
      const { a, b } = turn
      const [offset, length] = turn.range(b)
      turn.say(() => `${a.name}.claimAppend(${b.name}.substr(${offset}, ${length}))`)
      a.list.claimAppend(b.list.substr(offset, length))
      a.model = Model.join(a.model, b.model.slice(offset, length))
    },
  },
  'a new list': {
    uses: ['constructor'],
    run: (turn) => {
      const { a, b } = turn
      const dealt = turn.part()
      turn.say(() => `${a.name} = new BufferList(${dealt.code}, ${a.name}, ${b.name})`)
      const list = new BufferList(dealt.part, a.list, b.list)
      a.become(list, Model.join(dealt.model, a.model, b.model))
      dealt.end()
    },
  },
  adopt: {
    uses: ['static adopt'],
    weight: 1,
    run: (turn) => {
      const { a } = turn
      const { part, model, code } = turn.someBytes(noise, 'noise')
      turn.say(() => `${a.name}.claimAppend(BufferList.adopt(Buffer.from(${code}), () => …))`)
      a.list.claimAppend(turn.world.adopt(part))
      a.model = Model.join(a.model, model)
    },
  },
  'a list from parts': {
    uses: ['static from'],
    run: (turn) => {
      const { a, b } = turn
      const dealt = turn.part()
      const isOne = turn.choose([true, false])
      turn.say(
        () => `${a.name} = BufferList.from(${isOne ? dealt.code : `[${dealt.code}, ${b.name}]`})`,
      )
      const list = BufferList.from(isOne ? dealt.part : [dealt.part, b.list])
      a.become(list, isOne ? dealt.model : Model.join(dealt.model, b.model))
      dealt.end()
    },
  },
  appendZero: {
    uses: ['appendZero'],
    run: (turn) => {
      const { a } = turn
      const length = turn.length(ZEROS_MAX)
      turn.say(() => `${a.name}.appendZero(${length})`)
      a.list.appendZero(length)
      a.model = Model.join(a.model, new Model(Buffer.alloc(length)))
    },
  },
  prependZero: {
    uses: ['prependZero'],
    run: (turn) => {
      const { a } = turn
      const length = turn.length(ZEROS_MAX)
      turn.say(() => `${a.name}.prependZero(${length})`)
      a.list.prependZero(length)
      a.model = Model.join(new Model(Buffer.alloc(length)), a.model)
    },
  },
  'append a number': {
    uses: SCALARS.map(({ suffix }) => `append${suffix}`),
    weight: 4,
    run: (turn) => {
      const { a } = turn
      const scalar = turn.choose(SCALARS)
      const value = scalar.values[turn.length(scalar.values.length - 1)] ?? 0
      turn.say(() => `${a.name}.append${scalar.suffix}(${value})`)
      encoder(a.list, scalar.suffix).call(a.list, value)
      a.model = Model.join(a.model, new Model(encoded(scalar, value)))
    },
  },
  'append an integer of one to six bytes': {
    uses: ['appendUIntLE', 'appendUIntBE', 'appendIntLE', 'appendIntBE'],
    run: (turn) => {
      const { a } = turn
      const method = turn.choose(['UIntLE', 'UIntBE', 'IntLE', 'IntBE'] as const)
      const widthBytes = 1 + turn.length(5)
      const most = 2 ** (8 * widthBytes - (method.startsWith('U') ? 0 : 1)) - 1
      const value = turn.number % 3 === 0 ? most : turn.number % 128
      const bytes = Buffer.alloc(widthBytes)
      bytes[`write${method}`](value, 0, widthBytes)
      turn.say(() => `${a.name}.append${method}(${value}, ${widthBytes})`)
      const tooMuch = (): unknown => a.list[`append${method}`](most + 1, widthBytes)
      expectError(InvalidArgumentError, tooMuch, `append${method}(${most + 1}, ${widthBytes})`)
      a.list[`append${method}`](value, widthBytes)
      a.model = Model.join(a.model, new Model(bytes))
    },
  },
  'append a number that does not fit': {
    uses: SCALARS.map(({ suffix }) => `append${suffix}`),
    weight: 1,
    run: (turn) => {
      const { a } = turn
      const { suffix, refused } = turn.choose(SCALARS)
      const value = refused[turn.length(refused.length - 1)] ?? 1n
      turn.say(() => `${a.name}.append${suffix}(${value})`)
      const call = (): unknown => encoder(a.list, suffix).call(a.list, value)
      expectError(InvalidArgumentError, call, `append${suffix}(${value})`)
    },
  },
}

function encoder(list: BufferList, suffix: string): Encode {
  return Reflect.get(list, `append${suffix}`) as Encode
}

/** Very many segments of one to three bytes. */
function addPieces(turn: Turn, method: 'append' | 'prepend' | 'appendCopy'): void {
  const { a } = turn
  const pieces = turn.length(PIECES_MAX)
  const start = turn.offset() % (CONTENT_BYTES - 3 * PIECES_MAX)
  turn.say(() => `pieces(${start}, ${pieces}).forEach((piece) => ${a.name}.${method}(piece))`)
  const models: Model[] = []
  for (let i = 0; i < pieces; i++) {
    const at = start + 3 * i
    const piece = noise.subarray(at, at + 1 + (i % 3))
    a.list[method](piece)
    models.push(new Model(piece))
  }
  a.model =
    method === 'prepend' ? Model.join(...models.reverse(), a.model) : Model.join(a.model, ...models)
}
