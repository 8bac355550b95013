import type { DecisionResult } from './decisions.js'
import type { FanOutResult } from './fan-out.js'
import type { MemoryRow } from './idle-memory.js'
import { type OperationsResult, REPORTS_PER_SECOND } from './operations.js'
import { faultCount } from './tally.js'

/** How many times cheaper than Socket.IO a delivery is to be, by k. */
const RATIO_TARGETS: ReadonlyMap<number, number> = new Map([
  [1, 1.4],
  [16, 10],
])
const IDLE_BYTES_TARGET = 14 * 1024

/** One promise of this bench, and what came of it. */
export interface Verdict {
  readonly target: string
  readonly measured: string
  readonly met: boolean
}

/** What a run measured; a scenario that did not run is absent. */
export interface Measurements {
  readonly fanOut?: FanOutResult
  readonly operations?: OperationsResult
  readonly idleMemory?: readonly MemoryRow[]
  readonly decisions?: readonly DecisionResult[]
}

/** Every target that the measurements can answer. A ratio needs both candidates. */
export function judge({ fanOut, operations, idleMemory }: Measurements): Verdict[] {
  return [
    ...(fanOut?.rows ?? []).flatMap(judgeRatio),
    ...(operations?.rows ?? []).flatMap(judgeReports),
    ...(idleMemory ?? []).flatMap(judgeMemory),
  ]
}

/** The candidates that lost, doubled or reordered a message, in words. Empty is the only good value. */
export function faultsOf({ fanOut, operations }: Measurements): string[] {
  const behind = (operations?.rows ?? [])
    .filter(({ leftBehind }) => leftBehind > 0)
    .map(({ candidate, way, leftBehind }) => `${candidate}, ${way}: ${leftBehind} watchers without an end`)
  const faulty = Object.entries(fanOut?.faults ?? {})
    .filter(([, faults]) => faultCount(faults) > 0)
    .map(
      ([name, { lost, duplicated, reordered }]) =>
        `${name}: ${lost} lost, ${duplicated} doubled, ${reordered} reordered`,
    )
  return [...faulty, ...behind]
}

function judgeRatio({ k, ratio }: FanOutResult['rows'][number]): Verdict[] {
  const wanted = RATIO_TARGETS.get(k)
  if (wanted === undefined || ratio === undefined) return []
  return [
    {
      target: `a delivery at k=${k} is ${wanted} times cheaper than Socket.IO's`,
      measured: `${ratio.median.toFixed(2)} times`,
      met: ratio.median >= wanted,
    },
  ]
}

/** The pace was kept, and on less than the one core that there was. */
function judgeReports({ candidate, way, cost, pace }: OperationsResult['rows'][number]): Verdict[] {
  if (candidate !== 'holdfast') return []
  const possible = 1e6 / cost.median
  return [
    {
      target: `one core takes ${REPORTS_PER_SECOND.toLocaleString('en')} reports a second, ${way}, and tells their watchers`,
      measured: `${Math.round(possible).toLocaleString('en')} by its cost; ${Math.round(pace.median).toLocaleString('en')} were asked for and taken`,
      met: possible >= REPORTS_PER_SECOND && pace.median >= REPORTS_PER_SECOND * 0.97,
    },
  ]
}

function judgeMemory({ candidate, connections, residentBytesEach }: MemoryRow): Verdict[] {
  if (candidate !== 'holdfast') return []
  return [
    {
      target: `an idle connection takes less than ${IDLE_BYTES_TARGET / 1024} KiB`,
      measured: `${(residentBytesEach / 1024).toFixed(1)} KiB at ${connections} connections`,
      met: residentBytesEach < IDLE_BYTES_TARGET,
    },
  ]
}
