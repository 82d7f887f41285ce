/** The command line. */
import { parseArgs } from 'node:util'
import { parsed } from './arguments.js'
import { LIBRARIES, type Library } from './case.js'
import { COMMAND_USAGE, commandOptions, commandOptionsOf, type CommandOptions } from './command.js'
import { UsageError } from './failures.js'

const ROUNDS_DEFAULT = 5

export const USAGE = `usage: npm run bench [-- --case PATTERN] [--library NAME] [--rounds N]
                            [--node PATH] [--json]
       npm run bench -- --smoke | --list

  --case PATTERN   only the cases whose name matches (a regular expression; may be repeated)
  --library NAME   only this one of ${LIBRARIES.join(', ')} (may be repeated)
  --rounds N       fresh processes for every figure, interleaved (default ${ROUNDS_DEFAULT}); medians are shown
${COMMAND_USAGE}`

export interface Options extends CommandOptions {
  readonly libraries: readonly Library[]
}

export function parseOptions(args: readonly string[]): Options {
  const { library, ...values } = parsed(() => parse(args))
  const libraries = library.length === 0 ? LIBRARIES : library.map(libraryOf)
  return { ...commandOptionsOf(values), libraries }
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      ...commandOptions(ROUNDS_DEFAULT),
      library: { type: 'string', multiple: true, default: [] },
    },
  }).values
}

function libraryOf(text: string): Library {
  const library = LIBRARIES.find((name) => name.toLowerCase() === text.toLowerCase())
  if (library !== undefined) return library
  throw new UsageError(`--library takes one of ${LIBRARIES.join(', ')}, not '${text}'.`)
}
