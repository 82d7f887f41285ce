/**
 * Puts the drop-in where bl's own tests look for bl: they import the class by a relative path.
 */
import type { ResolveHook } from 'node:module'

const TESTED = '../BufferListStream.js'
const STAND_IN = new URL('stand-in.js', import.meta.url).href

/** The stand-in's address for an import by bl's tests of what they test. */
export function standInFor(specifier: string, importer: string | undefined): string | undefined {
  const isTheirs = importer?.includes('/node_modules/bl/test/') === true
  return isTheirs && specifier === TESTED ? STAND_IN : undefined
}

/** The hook, as Node wants it from a module of hooks. */
export const resolve: ResolveHook = (specifier, context, next) => {
  const url = standInFor(specifier, context.parentURL)
  return url === undefined ? next(specifier, context) : { url, shortCircuit: true }
}
