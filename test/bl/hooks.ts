/**
 * Loaded before bl's own tests (`node --import`), so that they meet the drop-in in bl's place.
 */
import * as module from 'node:module'
import { standInFor } from './resolve.js'

/** Hooks in the thread that imports, where Node has them (22.15 and later). */
type Resolve = (
  specifier: string,
  context: { readonly parentURL?: string },
  next: (specifier: string) => unknown,
) => unknown
type RegisterHooks = (hooks: { readonly resolve: Resolve }) => void

const { registerHooks } = module as { registerHooks?: RegisterHooks }
if (registerHooks === undefined) {
  module.register('./resolve.js', import.meta.url)
} else {
  registerHooks({
    resolve: (specifier, { parentURL }, next) => {
      const url = standInFor(specifier, parentURL)
      return url === undefined ? next(specifier) : { url, shortCircuit: true }
    },
  })
}
