// Encodes and decodes with the subpath what the package's own list holds.
const { equal } = require('node:assert/strict')

module.exports = function encode({ BufferList }, { bufferlist, struct, text }) {
  const put = struct({ version: 1, compat: 1 }, { name: text, data: bufferlist })
  const list = new BufferList()
  put.encode(list, { name: 'object', data: new BufferList('payload') })
  const { name, data } = put.decode(list.cursor())
  equal(name, 'object')
  equal(data instanceof BufferList, true)
  equal(data.toString(), 'payload')
}
