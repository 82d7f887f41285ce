#!/usr/bin/env node
/** `npx splicelist doctor [PATH…]`: what is by reference on this machine, and what to change. */
import { parseArgs } from 'node:util'
import { examine, type Findings } from './findings.js'
import { reportOf } from './report.js'

const USAGE = `Usage: splicelist doctor [--json] [PATH…]

Says what moves by reference on this machine and what is copied, found out by trying, the limits in
force, and what to change. For each PATH the mount that it lies in is tried too, with two temporary
files there, which are removed. Without a PATH nothing is written.

  --json      the findings for machines
  -h, --help  this text

Exit status: 0 when splice, tee, vmsplice and sendfile all pass references here; 1 when one of them does
not, or there is no addon; 2 when a PATH could not be tried, or the command was not understood.
`

/** What the command line asked for; a string is what is wrong with it. */
function understand(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    })
    const [command, ...paths] = positionals
    const isHelp = values.help === true
    if (isHelp || command === 'doctor') return { isHelp, isJson: values.json === true, paths }
    return command === undefined ? 'There is no command.' : `There is no command '${command}'.`
  } catch (error) {
    return (error as Error).message
  }
}

function exitStatus({ capabilities, mounts, whyNoAddon }: Findings): number {
  if (whyNoAddon !== undefined) return 1
  if (mounts.some(({ verdicts }) => verdicts === undefined)) return 2
  const { fileToPipe, tee, vmsplice, fileToSocket, pipeToSocket, socketToPipe } = capabilities
  const all = [fileToPipe, tee, vmsplice, fileToSocket, pipeToSocket, socketToPipe]
  return all.every((verdict) => verdict === 'reference') ? 0 : 1
}

async function main(): Promise<void> {
  const asked = understand(process.argv.slice(2))
  if (typeof asked === 'string') {
    process.stderr.write(`${asked}\n\n${USAGE}`)
    process.exitCode = 2
  } else if (asked.isHelp) {
    process.stdout.write(USAGE)
  } else {
    const findings = await examine(asked.paths)
    const report = asked.isJson ? `${JSON.stringify(findings, null, 2)}\n` : reportOf(findings)
    process.stdout.write(report)
    process.exitCode = exitStatus(findings)
  }
}

await main()
