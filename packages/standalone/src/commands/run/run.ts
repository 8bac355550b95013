import { randomUUID } from 'node:crypto'
import { basename } from 'node:path'
import { type Clock, systemClock, within } from '../../clock.js'
import { parseDuration } from '../../duration.js'
import { EXIT, Failure } from '../../failure.js'
import type { Shell } from '../../shell.js'
import { apiOf } from '../api.js'
import { type Declare, addRemoteOptions, examples } from '../command.js'
import { type SpecOptions, addSpecOptions, specOf } from '../operation/spec-options.js'
import { type RemoteOptions, findServer } from '../server-access.js'
import { type OutputReaderOptions, phasePattern, progressPattern } from './output-progress.js'
import type { RunSpec } from './reporter.js'
import { Run } from './run-course.js'
import { watchHint } from './watch-hint.js'

/** The flags of `holdfast run`. */
interface RunOptions extends RemoteOptions, SpecOptions {
  readonly id?: string
  readonly pattern?: string
  readonly phasePattern?: string
  readonly countLines?: boolean
  readonly parse?: boolean
  readonly quiet?: boolean
  readonly requireServer?: boolean
  readonly grace: string
  readonly endTimeout: string
}

/** `holdfast run`. */
export const declareRun: Declare = (command, { shell, end }) => {
  command
    .usage('[options] -- <command> [arguments]')
    .argument('<command...>', 'the command and its arguments')
    .option('--id <id>', 'id of the operation; one that waits for a worker is taken up')
  addSpecOptions(command)
    .option('--pattern <regex>', 'how to read its output, with groups percent, done, total, item, phase, message')
    .option('--phase-pattern <regex>', 'which lines begin a phase')
    .option('--count-lines', 'each line of output is one unit done')
    .option('--no-parse', 'do not look for percentages and counts in its output')
    .option('--quiet', 'do not show its output')
    .option('--require-server', 'do not run it where the server cannot be told')
    .option('--grace <duration>', 'how long it may take to stop before it is killed', '10s')
    .option('--end-timeout <duration>', 'how long to try to tell the server how it ended', '30s')
  addRemoteOptions(command)
    .passThroughOptions()
    .addHelpText(
      'after',
      `${examples(
        'holdfast run --label "Nightly import" -- ./import.sh',
        'holdfast run --id backup-7 --total 420 --unit files --count-lines -- tar cvf backup.tar data',
        `holdfast run --pattern '(?<done>\\d+) of (?<total>\\d+) rows' -- ./load.py`,
      )}\n${CODES}\n`,
    )
    .action(async (words: readonly string[], options: RunOptions) => end(await run(words, options, shell)))
}

const CODES =
  'Ends with the status of the command; 3 when a watcher cancelled it, 130 on Ctrl-C, 126 and 127 when it cannot be run.'

/** Runs a command as an operation; resolves with the status of the command. */
async function run(command: readonly string[], options: RunOptions, shell: Shell): Promise<number> {
  const clock = systemClock
  const spec = runSpec(command, options)
  const reading = readerOptions(options)
  const [graceMs, endTimeoutMs] = [
    durationOf('--grace', options.grace),
    durationOf('--end-timeout', options.endTimeout),
  ]
  const access = await findServer(options, shell, { permissions: ['operations'] })
  const course = new Run({
    shell,
    clock,
    access,
    api: apiOf(access),
    command,
    spec,
    mayTakeUp: options.id !== undefined,
    key: randomUUID(),
    reading,
    graceMs,
    endTimeoutMs,
    leaseMs: (options.lease !== undefined && parseDuration(options.lease)) || LEASE_MS,
    quiet: options.quiet === true,
    watchHint: (snapshot) => watchHint(snapshot, options, access),
  })
  await begin(course, clock, options)
  return course.untilEnded()
}

const LEASE_MS = 30_000

/** How long a command waits for a server that does not answer. */
const PATIENCE_MS = 2_000

async function begin(course: Run, clock: Clock, { requireServer }: RunOptions): Promise<void> {
  const begun = course.announce()
  if (!requireServer) return void (await within(clock, PATIENCE_MS, begun))
  await begun
  if (course.isTold) return
  course.abandon()
  throw new Failure(`not run, as --require-server asks: ${course.problem ?? 'the server does not answer'}`)
}

function runSpec(command: readonly string[], options: RunOptions): RunSpec {
  const name = basename(command[0] ?? 'command')
  const id = options.id ?? `${name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 64)}-${randomUUID().slice(0, 8)}`
  return { ...specOf(options), id, kind: options.kind ?? 'run', label: options.label ?? name.slice(0, 256) }
}

function readerOptions({ pattern, phasePattern: phases, countLines, parse }: RunOptions): OutputReaderOptions {
  return {
    ...(pattern !== undefined && { pattern: progressPattern(pattern) }),
    ...(phases !== undefined && { phasePattern: phasePattern(phases) }),
    ...(countLines && { countLines }),
    known: parse !== false,
  }
}

function durationOf(option: string, text: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined) return ms
  throw new Failure(
    `${option} must be a duration such as 500ms, 10s or 5m, received ${JSON.stringify(text)}`,
    EXIT.usage,
  )
}
