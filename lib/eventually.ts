/**
 * A value now or later. Most attempts to move bytes succeed at once and need no promise; a message
 * of a few system calls must not cost fifty of them.
 */
export type Eventually<T> = T | Promise<T>

/** Goes on with a value: at once where it is there, else when it is. */
export function after<T, R>(
  value: Eventually<T>,
  next: (value: T) => Eventually<R>,
): Eventually<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** Does something whatever becomes of a value: at once where it is there, else when it is. */
export function finallyDo<T>(value: Eventually<T>, last: () => void): Eventually<T> {
  if (value instanceof Promise) return value.finally(last)
  last()
  return value
}
