/**
 * Things that end with the test that made them. Helpers register what they open here, and the root
 * hooks end it after the test, before they look for what the library left behind.
 */
type Cleanup = () => Promise<void> | void

const ofThisTest: Cleanup[] = []
const ofTheRun: Cleanup[] = []
let isInTest = false

/**
 * Runs `cleanup` after the running test, the latest first. Called outside a test (in a `before`
 * hook, say), it runs at the end of the run.
 */
export function afterwards(cleanup: Cleanup): void {
  if (isInTest) ofThisTest.push(cleanup)
  else ofTheRun.push(cleanup)
}

/** Does one of many pieces of work of a test, and ends with it what it has registered. */
export async function cleanedUp<T>(work: () => Promise<T>): Promise<T> {
  const { length } = ofThisTest
  try {
    return await work()
  } finally {
    await runAll(ofThisTest, length)
  }
}

/** For the root hooks: a test begins. */
export function beginTest(): void {
  isInTest = true
}

/** For the root hooks: a test has ended. */
export async function endTest(): Promise<void> {
  isInTest = false
  await runAll(ofThisTest)
}

/** For the root hooks: the run has ended. */
export async function endRun(): Promise<void> {
  await runAll(ofTheRun)
}

async function runAll(cleanups: Cleanup[], downTo = 0): Promise<void> {
  while (cleanups.length > downTo) await cleanups.pop()?.()
}
