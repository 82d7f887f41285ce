const { equal } = require('node:assert/strict')
const splicelist = require('splicelist')
const move = require('./move.cjs')

// There is one build, whichever way it is loaded: a list of one is a list of the other.
import('splicelist').then(({ BufferList }) => {
  equal(BufferList, splicelist.BufferList)
  return move(splicelist)
})
