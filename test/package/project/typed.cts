// The same types for CommonJS, which TypeScript lets require an ES module since Node does.
import splicelist = require('splicelist')

const list: splicelist.BufferList = splicelist.BufferList.from('text')
export = list.length satisfies number
