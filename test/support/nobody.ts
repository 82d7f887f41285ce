/**
 * A user of no rights, which a test of root's can run a program as.
 *
 * The kernel counts the pages in pipes by user: of two suites that run beside each other one has to be
 * given another number by `SPLICELIST_TEST_UID`.
 */
const uid = Number(process.env['SPLICELIST_TEST_UID'] ?? 65534)

export const NOBODY = { uid, gid: uid, cwd: '/' } as const
