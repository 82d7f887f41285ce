import * as splicelist from 'splicelist'
import move from './move.cjs'

await move(splicelist)
