/** Why a promise was rejected; throws when it was not. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Error) return error
    throw new Error('It was rejected with something that is no error', { cause: error })
  }
  throw new Error('It was not rejected')
}
