/**
 * `/proc/self/io`: what the calls of this process have read and written so far, as the kernel counts.
 */
import { readFileSync } from 'node:fs'

/** Bytes, as the kernel names them. */
export interface ProcessIo {
  readonly rchar: number
  readonly wchar: number
}

/** Whether the kernel counts at all (`CONFIG_TASK_IO_ACCOUNTING`) and lets us see it. */
export function hasProcessIo(): boolean {
  try {
    return processIo().rchar > 0
  } catch {
    return false
  }
}

/** What a piece of work adds. */
export async function ioOf(work: () => unknown): Promise<ProcessIo> {
  const before = processIo()
  await work()
  const after = processIo()
  // Reading the account is a read as well.
  const rchar = after.rchar - before.rchar - before.text.length
  return { rchar, wchar: after.wchar - before.wchar }
}

function processIo(): ProcessIo & { readonly text: string } {
  const text = readFileSync('/proc/self/io', 'latin1')
  const figure = (name: string): number =>
    Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1])
  return { text, rchar: figure('rchar'), wchar: figure('wchar') }
}
