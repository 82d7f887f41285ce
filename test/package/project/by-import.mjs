import * as splicelist from 'splicelist'
import * as encoding from 'splicelist/encoding'
import encode from './encode.cjs'
import move from './move.cjs'

await move(splicelist)
encode(splicelist, encoding)
