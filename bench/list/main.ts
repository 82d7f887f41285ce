/**
 * The list's speed, beside `bl`, `uint8arraylist`, plain Buffers and the real Ceph list:
 *
 *     npm run bench [-- --case PATTERN] [--library NAME] [--rounds N] [--node PATH] [--json]
 *     npm run bench -- --smoke
 */
import { bench } from '../harness/bench.js'

process.exitCode = await bench(new URL('cases.js', import.meta.url), process.argv.slice(2))
