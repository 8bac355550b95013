import { mkdir, writeFile } from 'node:fs/promises'
import { measureDecisions } from './decisions.js'
import { measureFanOut } from './fan-out.js'
import { measureIdleMemory } from './idle-memory.js'
import { describeMachine } from './machine.js'
import { measureOperations } from './operations.js'
import { type RunOptions, USAGE, readOptions } from './options.js'
import { type Report, renderReport } from './report.js'
import { type Measurements, faultsOf, judge } from './targets.js'

const RESULTS = new URL('../results/', import.meta.url)

if (process.argv.includes('--help')) process.stdout.write(USAGE)
else process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  try {
    return await run(readOptions(args))
  } catch (error) {
    note(`No figure: ${error instanceof Error ? error.message : String(error)}`)
    return 1
  }
}

async function run(options: RunOptions): Promise<number> {
  const machine = describeMachine()
  if (!machine.pinned) note('WARNING: no taskset or no second core; nothing is pinned and the figures mean little')
  const measured = await measure(options)
  const report = { machine, effort: options.effort, ...measured, verdicts: judge(measured), faults: faultsOf(measured) }
  await keep(report)
  process.stdout.write(`\n${renderReport(report)}`)
  return exitCode(report, options)
}

async function measure(options: RunOptions): Promise<Measurements> {
  const { scenarios } = options
  return {
    ...(scenarios.includes('fan-out') && { fanOut: await measureFanOut(options, note) }),
    ...(scenarios.includes('operations') && { operations: await measureOperations(options, note) }),
    ...(scenarios.includes('idle-memory') && { idleMemory: await measureIdleMemory(options, note) }),
    ...(scenarios.includes('decisions') && { decisions: await measureDecisions(options, note) }),
  }
}

async function keep(report: Report): Promise<void> {
  await mkdir(RESULTS, { recursive: true })
  await writeFile(new URL('latest.json', RESULTS), `${JSON.stringify(report, null, 2)}\n`)
  await writeFile(new URL('latest.md', RESULTS), renderReport(report))
}

function exitCode({ faults, verdicts }: Report, { verdict }: RunOptions): number {
  if (faults.length > 0) return 1
  return verdict && verdicts.some(({ met }) => !met) ? 1 : 0
}

function note(line: string): void {
  process.stderr.write(`${line}\n`)
}
