/** What one process says of one library's work of one case. */
import type { Measurement } from './measure.js'

/** Why there is nothing to measure. */
export interface Absence {
  readonly absent: string
}

export type Report = Measurement | Absence

export function isAbsence(report: Report): report is Absence {
  return 'absent' in report
}
