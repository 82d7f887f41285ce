/** The peers' lists, built as their own documentation says. */
import { BufferList as Bl } from 'bl'
import { Uint8ArrayList } from 'uint8arraylist'

export { Bl, Uint8ArrayList }

export function blOf(parts: readonly Uint8Array[]): Bl {
  const list = new Bl()
  for (const part of parts) list.append(part)
  return list
}

export function uint8ArrayListOf(parts: readonly Uint8Array[]): Uint8ArrayList {
  const list = new Uint8ArrayList()
  for (const part of parts) list.append(part)
  return list
}
