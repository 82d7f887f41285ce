// The same types for CommonJS, which TypeScript lets require an ES module since Node does.
import splicelist = require('splicelist')
import encoding = require('splicelist/encoding')

const list: splicelist.BufferList = splicelist.BufferList.from('text')
const length: encoding.Codec<number> = encoding.u32
export = length.decode(list.cursor()) satisfies number
