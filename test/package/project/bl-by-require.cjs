const { equal } = require('node:assert/strict')
const BufferListStream = require('splicelist/bl')
const { BufferList, isBufferList } = require('splicelist/bl')
const collect = require('./collect.cjs')

// There is one build, whichever way it is loaded: a list of one is a list of the other.
import('splicelist/bl').then((imported) => {
  equal(imported.default, BufferListStream)
  equal(imported.BufferList, BufferList)
  return collect({ BufferListStream, BufferList, isBufferList })
})
