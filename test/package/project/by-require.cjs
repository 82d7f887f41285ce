const { equal } = require('node:assert/strict')
const splicelist = require('splicelist')
const encoding = require('splicelist/encoding')
const encode = require('./encode.cjs')
const move = require('./move.cjs')

// There is one build, whichever way it is loaded: a list of one is a list of the other.
import('splicelist').then(async ({ BufferList }) => {
  equal(BufferList, splicelist.BufferList)
  await move(splicelist)
  encode(splicelist, encoding)
})
