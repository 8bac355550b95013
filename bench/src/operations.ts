import { type CandidateName, WORK_WAYS, type WorkWay } from './candidates/candidate.js'
import type { Child } from './child.js'
import { workedMs } from './machine.js'
import type { RunOptions } from './options.js'
import { type ServerProcess, startGenerator, startServer } from './processes.js'
import type { GeneratorRequests, WorkDone } from './requests.js'
import { type Quartiles, pairedRatios, quartiles } from './statistics.js'

/** Reports a second that the work has to say. */
export const REPORTS_PER_SECOND = 20_000
/** Pieces of work that run at once, and connections that watch them, five each. */
const PIECES = 200
const WATCHERS = 1_000

/** A candidate, and how its reports come in. */
interface Contestant extends ServerProcess {
  readonly way: WorkWay
  readonly generator: Child<GeneratorRequests>
}

/** One line of the table. */
export interface OperationsRow {
  readonly candidate: CandidateName
  readonly way: WorkWay
  /** Microseconds of CPU for each report, telling all its watchers included. */
  readonly cost: Quartiles
  /** Reports a second that were taken. */
  readonly pace: Quartiles
  /** Socket.IO's cost in multiples of this one's. */
  readonly ratio?: Quartiles
  /** Watchers that did not get the last message of their work. */
  readonly leftBehind: number
  /** Processors that neither server nor generator kept busy, median. */
  readonly foreignCores: number
}

/** What the scenario found. */
export interface OperationsResult {
  readonly pieces: number
  readonly watchers: number
  readonly rows: readonly OperationsRow[]
}

interface Slice extends WorkDone {
  readonly foreignCores: number
}

/**
 * What a report of long-running work costs when each piece has watchers: contestants stand with theirs and take turns, as in the fan-out.
 *
 * @throws Error when a server or one of its connections gives up.
 */
export async function measureOperations(options: RunOptions, note: (line: string) => void): Promise<OperationsResult> {
  const contestants: Contestant[] = []
  try {
    for (const candidate of options.candidates)
      for (const way of candidate === 'holdfast' ? WORK_WAYS : WORK_WAYS.slice(0, 1))
        contestants.push(await standUp(candidate, way, options))
    const slices = await takeTurns(contestants, options, note)
    const leftBehind: number[] = []
    for (const contestant of contestants) leftBehind.push(await finish(contestant))
    return { pieces: PIECES, watchers: WATCHERS, rows: summarise(contestants, slices, leftBehind) }
  } finally {
    await Promise.all(contestants.flatMap(({ process, generator }) => [process.end(), generator.end()]))
  }
}

async function standUp(candidate: CandidateName, way: WorkWay, { profileFolder }: RunOptions): Promise<Contestant> {
  const generator = await startGenerator()
  const server = await startServer(candidate, profileFolder)
  await server.process.ask('begin', { pieces: PIECES, way })
  await generator.ask('gather', { candidate, port: server.port, size: WATCHERS, layout: 'operations' })
  return { ...server, way, generator }
}

async function takeTurns(
  contestants: readonly Contestant[],
  { effort }: RunOptions,
  note: (line: string) => void,
): Promise<Slice[][]> {
  const slices: Slice[][] = contestants.map(() => [])
  for (let round = -effort.warmUpRounds; round < effort.rounds; round++) {
    const order = round % 2 === 0 ? contestants : contestants.toReversed()
    for (const contestant of order) {
      const slice = await measureSlice(contestant, effort.sliceMs)
      if (round >= 0) slices[contestants.indexOf(contestant)]?.push(slice)
    }
    note(`operations: round ${round + 1} of ${effort.rounds}`)
  }
  return slices
}

async function measureSlice({ process }: Contestant, durationMs: number): Promise<Slice> {
  const workedBefore = workedMs()
  const done = await process.ask('report', { perSecond: REPORTS_PER_SECOND, durationMs })
  // The generator reads meanwhile: one core of what was worked is its at most.
  const foreignMs = workedMs() - workedBefore - done.cpuMicros / 1_000 - done.elapsedMs
  return { ...done, foreignCores: Math.max(0, foreignMs / done.elapsedMs) }
}

async function finish({ process, generator, candidate }: Contestant): Promise<number> {
  const sequence = await process.ask('end', null)
  const missing = await generator.ask('caughtUp', { candidate, sequence })
  await generator.ask('disperse', { candidate })
  return missing
}

function summarise(
  contestants: readonly Contestant[],
  slices: readonly (readonly Slice[])[],
  leftBehind: readonly number[],
): OperationsRow[] {
  const costs = slices.map((list) => list.map(({ cpuMicros, reports }) => cpuMicros / reports))
  const other = costs[contestants.findIndex(({ candidate }) => candidate === 'socket-io')]
  return contestants.map(({ candidate, way }, at) => {
    const cost = costs[at] ?? []
    const mine = slices[at] ?? []
    return {
      candidate,
      way,
      cost: quartiles(cost),
      pace: quartiles(mine.map(({ reports, elapsedMs }) => (reports * 1_000) / elapsedMs)),
      ...(other !== undefined && candidate === 'holdfast' && { ratio: quartiles(pairedRatios(other, cost)) }),
      leftBehind: leftBehind[at] ?? 0,
      foreignCores: quartiles(mine.map(({ foreignCores }) => foreignCores)).median,
    }
  })
}
