/**
 * What bl's own tests are given for bl: the drop-in. With BREAK naming a method, that method is wrong,
 * to see that the tests would notice.
 */
import { BufferList, BufferListStream } from 'splicelist/bl'

export {
  BufferList,
  BufferListStream,
  BufferListStream as default,
  isBufferList,
} from 'splicelist/bl'

console.log('# the drop-in stands in for bl')

type Methods = Record<string, (...args: unknown[]) => unknown>

const wrongResults: Readonly<Record<string, (result: unknown) => unknown>> = {
  slice: (bytes) => (bytes as Buffer).subarray(0, -1),
  readUInt16BE: (value) => (value as number) ^ 1,
}

const broken = process.env['BREAK']
const wrong = wrongResults[broken ?? '']
if (broken !== undefined && wrong !== undefined) {
  for (const { prototype } of [BufferList, BufferListStream]) {
    const methods = prototype as unknown as Methods
    const method = methods[broken]
    methods[broken] = function (...args) {
      return wrong(method?.apply(this, args))
    }
  }
}
