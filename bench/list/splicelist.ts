/** Splicelist's list, as the cases use it. */
import { BufferList } from 'splicelist'

/** A list of parts that are shared. */
export function listOf(parts: readonly Uint8Array[]): BufferList {
  const list = new BufferList()
  for (const part of parts) list.append(part)
  return list
}
