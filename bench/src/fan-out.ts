import type { CandidateName } from './candidates/candidate.js'
import type { Child } from './child.js'
import type { SliceLoad } from './load.js'
import { workedMs } from './machine.js'
import type { Effort, RunOptions } from './options.js'
import { type ServerProcess, startGenerator, startServer } from './processes.js'
import type { GeneratorRequests } from './requests.js'
import { type Quartiles, pairedRatios, quartiles } from './statistics.js'
import { type Faults, NO_FAULTS } from './tally.js'

/** The messages per write that are measured. */
const KS = [1, 4, 16] as const

/** One slice of one candidate. */
export interface Slice {
  readonly k: number
  readonly round: number
  readonly candidate: CandidateName
  readonly cpuMicrosPerDelivery: number
  /** CPU time of the server in its slice, as a share of the slice. */
  readonly serverBusy: number
  /** Processors that neither server nor generator kept busy: what else ran on the machine, 0 to the number of its cores. */
  readonly foreignCores: number
  readonly load: SliceLoad
}

/** One line of the table. */
export interface FanOutRow {
  readonly k: number
  /** Microseconds of CPU per delivery, of each candidate that ran. */
  readonly cost: Partial<Record<CandidateName, Quartiles>>
  /** Socket.IO's cost in multiples of Holdfast's; absent when one of them did not run. */
  readonly ratio?: Quartiles
  /** Deliveries counted for this line. */
  readonly deliveries: number
  readonly serverBusy: number
  readonly generatorBusy: number
  readonly foreignCores: number
}

/** What the scenario found. */
export interface FanOutResult {
  readonly subscribers: number
  readonly rows: readonly FanOutRow[]
  readonly faults: Partial<Record<CandidateName, Faults>>
  readonly slices: readonly Slice[]
}

/**
 * Fan-out of one channel: all candidates stand with their subscribers during the whole run and take turns in short slices, the
 * order changing from round to round.
 *
 * @throws Error when a server or one of its connections gives up.
 */
export async function measureFanOut(options: RunOptions, note: (line: string) => void): Promise<FanOutResult> {
  const generator = await startGenerator()
  const servers: ServerProcess[] = []
  try {
    for (const candidate of options.candidates) {
      servers.push(await standUp(candidate, options, generator))
      note(`${candidate}: ${options.effort.subscribers} subscribers`)
    }
    const slices: Slice[] = []
    for (const k of KS) slices.push(...(await takeTurns(k, servers, generator, options.effort, note)))
    for (const candidate of options.candidates) await generator.ask('disperse', { candidate })
    return summarise(slices, options)
  } finally {
    await Promise.all([generator, ...servers.map((server) => server.process)].map((child) => child.end()))
  }
}

async function standUp(
  candidate: CandidateName,
  { effort, profileFolder }: RunOptions,
  generator: Child<GeneratorRequests>,
): Promise<ServerProcess> {
  const server = await startServer(candidate, profileFolder)
  await generator.ask('gather', { candidate, port: server.port, size: effort.subscribers, layout: 'one-channel' })
  return server
}

async function takeTurns(
  k: number,
  servers: readonly ServerProcess[],
  generator: Child<GeneratorRequests>,
  effort: Effort,
  note: (line: string) => void,
): Promise<Slice[]> {
  const slices: Slice[] = []
  for (let round = -effort.warmUpRounds; round < effort.rounds; round++) {
    const order = round % 2 === 0 ? servers : servers.toReversed()
    for (const server of order) {
      const slice = await measureSlice({ k, round }, server, generator, effort.sliceMs)
      if (round >= 0) slices.push(slice)
    }
    note(`k=${k}: round ${round + 1} of ${effort.rounds}`)
  }
  return slices
}

async function measureSlice(
  place: { readonly k: number; readonly round: number },
  { candidate, process }: ServerProcess,
  generator: Child<GeneratorRequests>,
  durationMs: number,
): Promise<Slice> {
  const workedBefore = workedMs()
  const cpuBefore = await process.ask('cpu', null)
  const load = await generator.ask('slice', { candidate, k: place.k, durationMs })
  const cpuMicros = (await process.ask('cpu', null)) - cpuBefore
  const foreignMs = workedMs() - workedBefore - cpuMicros / 1000 - load.generatorCpuMs
  return {
    ...place,
    candidate,
    cpuMicrosPerDelivery: cpuMicros / load.deliveries,
    serverBusy: cpuMicros / 1000 / load.elapsedMs,
    foreignCores: Math.max(0, foreignMs / load.elapsedMs),
    load,
  }
}

function summarise(slices: readonly Slice[], { candidates, effort }: RunOptions): FanOutResult {
  const rows = KS.map((k) =>
    rowOf(
      k,
      slices.filter((slice) => slice.k === k),
      candidates,
    ),
  )
  const faults: Partial<Record<CandidateName, Faults>> = {}
  for (const candidate of candidates) faults[candidate] = lastOf(slices, candidate)?.load.faults ?? NO_FAULTS
  return { subscribers: effort.subscribers, rows, faults, slices }
}

function rowOf(k: number, slices: readonly Slice[], candidates: readonly CandidateName[]): FanOutRow {
  const costs = (candidate: CandidateName): number[] =>
    slices
      .filter((slice) => slice.candidate === candidate)
      .toSorted((a, b) => a.round - b.round)
      .map((slice) => slice.cpuMicrosPerDelivery)
  const cost: Partial<Record<CandidateName, Quartiles>> = {}
  for (const candidate of candidates) cost[candidate] = quartiles(costs(candidate))
  const row = {
    k,
    cost,
    deliveries: slices.reduce((sum, slice) => sum + slice.load.deliveries, 0),
    serverBusy: quartiles(slices.map((slice) => slice.serverBusy)).median,
    generatorBusy: quartiles(slices.map((slice) => slice.load.generatorBusy)).median,
    foreignCores: quartiles(slices.map((slice) => slice.foreignCores)).median,
  }
  if (candidates.length < 2) return row
  return { ...row, ratio: quartiles(pairedRatios(costs('socket-io'), costs('holdfast'))) }
}

function lastOf(slices: readonly Slice[], candidate: CandidateName): Slice | undefined {
  return slices.findLast((slice) => slice.candidate === candidate)
}
