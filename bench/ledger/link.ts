/**
 * A hook of Node's module loader: links the library with another ledger. Both variants are loaded
 * through it, so that it disturbs neither more.
 */
import type { ResolveHookContext } from 'node:module'

type NextResolve = (
  specifier: string,
  context: ResolveHookContext,
) => Promise<{ readonly url: string }>

const REPLACED = /\/dist\/audit\/(?:ledger|observers)\.js$/
const STAND_IN = new URL('uncounted.js', import.meta.url).href

let isCounted = true

export function initialize(variant: string): void {
  isCounted = variant === 'counted'
}

export async function resolve(
  specifier: string,
  context: ResolveHookContext,
  next: NextResolve,
): Promise<{ url: string; shortCircuit?: boolean }> {
  const resolved = await next(specifier, context)
  if (isCounted || !REPLACED.test(resolved.url)) return resolved
  return { ...resolved, url: STAND_IN, shortCircuit: true }
}
