/**
 * Reports as text for people: aligned tables.
 */
import type { TransferResult } from '../contract.js'
import { COPY_CAUSES, KERNEL_CAUSES, type CopyCause } from './causes.js'
import type { CopyReport } from './report.js'

/** What a cell of a table may hold. */
type Cell = string | number | boolean | null | undefined

/**
 * A report as an aligned table: that of `audit`, what a transfer has resolved with, or the rows of
 * `list.explain()`. For a terminal or a log line; programs read the objects.
 *
 * ```ts
 * import { BufferList, formatReport } from 'splicelist'
 * const list = new BufferList(Buffer.from('head')).appendZero(4096)
 * console.log(formatReport(list.explain()).split('\n')[2]) // zero    4096  -      -          0
 * ```
 */
export function formatReport(report: CopyReport | TransferResult | readonly object[]): string {
  if (isRows(report)) return rowTable(report as readonly Readonly<Record<string, Cell>>[])
  return 'ways' in report ? transferText(report) : copyText(report)
}

function isRows(report: object): report is readonly object[] {
  return Array.isArray(report)
}

function rowTable(rows: readonly Readonly<Record<string, Cell>>[]): string {
  const names = Object.keys(rows[0] ?? {})
  return table([names, ...rows.map((row) => names.map((name) => row[name]))])
}

function transferText({ bytesMoved, eof, ways }: TransferResult): string {
  const told = ways.map((way) => {
    const cause = way.startsWith('copy:') ? way.slice('copy:'.length) : ''
    return [way, COPY_CAUSES[cause as CopyCause]]
  })
  const end = eof ? ", to the source's end" : ''
  const head = `${bytesMoved} bytes moved${end}`
  return told.length === 0 ? head : `${head}\n${table(told, '  ')}`
}

function copyText(report: CopyReport): string {
  const { copies, kernelCopies, ...figures } = report
  const totals = Object.entries(figures).filter(([, figure]) => figure !== 0)
  const parts = [totals.length === 0 ? 'nothing moved, nothing copied' : table(totals)]
  if (copies.length > 0) {
    const rows = copies.map(({ bytes, count, cause, intended, site }) => {
      return [bytes, count, cause, intended ? 'intended' : 'accident', site]
    })
    parts.push('', table([['copied', 'times', 'cause', '', 'at'], ...rows]))
  }
  if (kernelCopies.length > 0) {
    const rows = kernelCopies.map(({ bytes, count, cause }) => {
      return [bytes, count, cause, KERNEL_CAUSES[cause]]
    })
    parts.push('', table([['by the kernel', 'times', 'cause', ''], ...rows]))
  }
  return parts.join('\n')
}

/** Rows of as many cells: numbers to the right, all else to the left. */
function table(rows: readonly (readonly Cell[])[], indent = ''): string {
  const texts = rows.map((row) => row.map(textOf))
  const columns = texts[0]?.map((_, column) => column) ?? []
  const widths = columns.map((column) =>
    texts.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0),
  )
  const isNumeric = columns.map((column) => rows.some((row) => typeof row[column] === 'number'))
  const lines = texts.map((row) => {
    const cells = row.map((text, column) => {
      const width = widths[column] ?? 0
      return isNumeric[column] === true ? text.padStart(width) : text.padEnd(width)
    })
    return `${indent}${cells.join('  ')}`.trimEnd()
  })
  return lines.join('\n')
}

function textOf(cell: Cell): string {
  if (cell === undefined) return ''
  return cell === null ? '-' : String(cell)
}
