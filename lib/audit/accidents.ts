/**
 * `SPLICELIST_AUDIT=warn` or `throw`: what becomes of an accidental copy, anywhere in the process.
 *
 * `warn` tells each place once. `throw` stops the operation before the bytes are copied, wherever that
 * loses none; where it would, the copy is made, and the error ends the process as one that nobody
 * caught. Both carry a context along with every await, as an audit does: they are for tests and for
 * finding a line, not for a busy server.
 */
import { AccidentalCopyError } from '../errors.js'
import { COPY_CAUSES, type CopyCause } from './causes.js'

/** What accidents are; undefined: something that is counted. */
export const AUDIT_MODE = modeFromEnvironment()

function modeFromEnvironment(): 'warn' | 'throw' | undefined {
  const mode = process.env['SPLICELIST_AUDIT']
  if (mode === 'warn' || mode === 'throw') return mode
  if (mode !== undefined && mode !== '') {
    process.emitWarning(`SPLICELIST_AUDIT is 'warn' or 'throw', not '${mode}'. It is ignored`)
  }
  return undefined
}

/** Whether an accident is an error, as a flag: every copy asks. */
export const refusesAccidents: boolean = AUDIT_MODE === 'throw'

const warned = new Set<string>()

/** An accident has happened. */
export function reportAccident(cause: CopyCause, bytes: number, site: string | undefined): void {
  if (AUDIT_MODE === 'warn') return warn(cause, bytes, site)
  const error = accident(cause, bytes, site)
  process.nextTick(() => {
    throw error
  })
}

/** An accident is about to happen. */
export function refuseAccident(
  cause: CopyCause,
  bytes: number | undefined,
  site: string | undefined,
): never {
  throw accident(cause, bytes, site)
}

function warn(cause: CopyCause, bytes: number, site: string | undefined): void {
  const place = `${cause} ${site ?? ''}`
  if (warned.has(place)) return
  warned.add(place)
  process.emitWarning(sentence(cause, bytes, site), {
    type: 'SplicelistCopyWarning',
    code: 'SPLICELIST_COPY',
  })
}

function accident(
  cause: CopyCause,
  bytes: number | undefined,
  site: string | undefined,
): AccidentalCopyError {
  return new AccidentalCopyError(sentence(cause, bytes, site), { cause, bytes, site })
}

function sentence(cause: CopyCause, bytes: number | undefined, site: string | undefined): string {
  const what = bytes === undefined ? 'Bytes are' : `${bytes} bytes are`
  const where = site === undefined ? '' : `, at ${site}`
  return (
    `${what} copied by accident: ${cause} (${COPY_CAUSES[cause]})${where}. Where that is meant, say ` +
    '{ intended: true }'
  )
}
