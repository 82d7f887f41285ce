/**
 * Where in the application something was asked for (a copy, or what nobody released): the frames of a
 * stack that are neither ours nor Node's. Capturing costs a microsecond or two, and the text is made
 * only when somebody asks for it.
 */

/** Frames that are looked at: the deepest call of ours is a dozen from the application's. */
const FRAMES_MAX = 40

/** Whatever lies behind one of these is ours. `lib/` is where source maps point. */
const OURS = ownFolders()

/** A frame of a stack trace: whether it waits, and its place. */
const FRAME = /^\s+at (async )?(.*:\d+:\d+\)?)$/

/** A place in the application, as a stack trace names it: 'function (file:line:column)'. */
type Site = string | undefined

/** A stack as it is now, less the frames down to a function of ours. Text is made when it is asked for. */
export class Trace {
  readonly stack: unknown
  #isRead = false
  #called: Site
  #awaited: Site

  /** `below` is the function of ours that was called last of those to leave out. */
  constructor(below: (...args: never) => unknown) {
    const { stackTraceLimit } = Error
    // Frozen in a hardened realm: then as many frames as there are must do.
    Reflect.set(Error, 'stackTraceLimit', FRAMES_MAX)
    Error.captureStackTrace(this, below)
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
  /** The application's nearest call that has not returned. */
  get called(): Site {
    this.#read()
    return this.#called
  }
  /** The application's nearest function that waits for what runs now. */
  get awaited(): Site {
    this.#read()
    return this.#awaited
  }
  /**
   * The application's frames, a line for each, also of those that wait for what runs now; all frames
   * where none is the application's. Keep this and not the trace: it refers to what was called.
   */
  get callers(): string {
    const frames = this.#lines().filter((line) => FRAME.test(line))
    const callers = frames.filter((line) => !isOurs(FRAME.exec(line)?.[2] ?? ''))
    return (callers.length > 0 ? callers : frames).join('\n')
  }
  /** None where a program has put a format of its own in place: `Error.prepareStackTrace`. */
  #lines(): readonly string[] {
    return typeof this.stack === 'string' ? this.stack.split('\n') : []
  }
  #read(): void {
    if (this.#isRead) return
    this.#isRead = true
    for (const line of this.#lines()) {
      const frame = FRAME.exec(line)
      if (frame === null) continue
      const place = frame[2] as string
      if (isOurs(place)) continue
      if (frame[1] === undefined) {
        this.#called = place
        return
      }
      this.#awaited ??= place
    }
  }
}

function isOurs(place: string): boolean {
  if (/(?:^|\()node:/.test(place)) return true
  return OURS.some((folder) => place.includes(folder))
}

/** Nothing where this was bundled: the application's frames are in the same file then. */
function ownFolders(): string[] {
  const { url } = import.meta
  if (!url.endsWith('/dist/audit/call-site.js')) return []
  const root = new URL('../../', url)
  const roots = [root.href, decodeURIComponent(root.pathname)]
  return roots.flatMap((folder) => [`${folder}dist/`, `${folder}lib/`])
}
