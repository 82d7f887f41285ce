/** All cases of the list, in the order of the table. */
import type { Case } from '../harness/case.js'
import { APPEND } from './append.js'
import { BYTE_AT } from './byte-at.js'
import { CLAIM_APPEND } from './claim-append.js'
import { CONSUME } from './consume.js'
import { CRC32C } from './crc32c.js'
import { CURSOR } from './cursor.js'
import { HEAP } from './heap.js'
import { INDEX_OF } from './index-of.js'
import { MESSAGE } from './message.js'
import { PARSER } from './parser.js'
import { SPLICE } from './splice.js'
import { SUBSTR } from './substr.js'
import { TO_BUFFER } from './to-buffer.js'

export const CASES: readonly Case[] = [
  SUBSTR,
  BYTE_AT,
  APPEND,
  CLAIM_APPEND,
  CONSUME,
  SPLICE,
  INDEX_OF,
  CRC32C,
  HEAP,
  CURSOR,
  PARSER,
  MESSAGE,
  TO_BUFFER,
].flat()
