import { parseArgs } from 'node:util'
import { CANDIDATE_NAMES, type CandidateName } from './candidates/candidate.js'

/** The names of the scenarios, in the order in which they run. */
export const SCENARIO_NAMES = ['fan-out', 'operations', 'idle-memory', 'decisions'] as const

/** The name of a scenario. */
export type ScenarioName = (typeof SCENARIO_NAMES)[number]

/** How much to measure. */
export interface Effort {
  readonly name: 'full' | 'quick'
  readonly subscribers: number
  /** Slices of each candidate for each k. */
  readonly rounds: number
  /** Slices of each candidate for each k that are thrown away: compilers warm up in them. */
  readonly warmUpRounds: number
  readonly sliceMs: number
  readonly idleConnections: number
}

/** What one run does. */
export interface RunOptions {
  readonly scenarios: readonly ScenarioName[]
  readonly candidates: readonly CandidateName[]
  readonly effort: Effort
  /** Whether a missed target fails the run. A lost message always does. */
  readonly verdict: boolean
  /** Where the servers leave a CPU profile when they end; none by default. */
  readonly profileFolder: string | undefined
}

const FULL: Effort = {
  name: 'full',
  subscribers: 1000,
  rounds: 10,
  warmUpRounds: 2,
  sliceMs: 1500,
  idleConnections: 5000,
}
const QUICK: Effort = { ...FULL, name: 'quick', rounds: 3, warmUpRounds: 1, sliceMs: 500, idleConnections: 1000 }

/** The command line, as `--help` prints it. */
export const USAGE: string = `npm run bench -- [options]

  --quick             shorter: ${QUICK.rounds} slices of ${QUICK.sliceMs} ms, ${QUICK.idleConnections} idle connections
  --only SCENARIO     ${SCENARIO_NAMES.join(' or ')}
  --candidate NAME    ${CANDIDATE_NAMES.join(' or ')}, alone: no ratios, no verdict
  --no-verdict        a missed target does not fail the run
  --cpu-prof FOLDER   the servers leave a CPU profile there (one candidate at a time reads best)
`

/**
 * Reads the command line.
 *
 * @throws Error that names an option it does not know, or a value that is not one of those allowed.
 */
export function readOptions(args: readonly string[]): RunOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      candidate: { type: 'string' },
      'no-verdict': { type: 'boolean', default: false },
      'cpu-prof': { type: 'string' },
    },
  })
  return {
    scenarios: oneOrAll('--only', SCENARIO_NAMES, values.only),
    candidates: oneOrAll('--candidate', CANDIDATE_NAMES, values.candidate),
    effort: values.quick ? QUICK : FULL,
    verdict: !values['no-verdict'],
    profileFolder: values['cpu-prof'],
  }
}

function oneOrAll<T extends string>(option: string, all: readonly T[], chosen: string | undefined): readonly T[] {
  if (chosen === undefined) return all
  const found = all.find((name) => name === chosen)
  if (found === undefined) throw new Error(`${option} must be one of ${all.join(', ')}, received "${chosen}"`)
  return [found]
}
