import { spawnSync } from 'node:child_process'

const program = 'node_modules/.bin/splicelist'
const { stdout } = spawnSync(process.execPath, [program, 'doctor', '--json', '.'])
const { whyNoAddon, mounts } = JSON.parse(stdout)
const isTried = mounts[0]?.verdicts?.mountFileToPipe !== undefined
console.log(whyNoAddon === undefined && isTried ? 'tried this folder' : `did not: ${whyNoAddon}`)
