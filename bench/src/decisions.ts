import { monotonicMs } from './clock.js'
import { limiterContests } from './limiters.js'
import { matcherContest } from './matchers.js'
import type { RunOptions } from './options.js'
import { type Quartiles, pairedRatios, quartiles } from './statistics.js'

/** One way to take a decision. */
export interface Contestant {
  readonly name: string
  /** Takes so many decisions and answers how many came out one way: those who decide the same answer the same. */
  run(count: number): number | Promise<number>
}

/** Ways to take the same decision; ours is the first. */
export interface Contest {
  readonly title: string
  readonly contestants: readonly Contestant[]
}

/** What a way costs. */
export interface DecisionRow {
  readonly candidate: string
  /** For one decision. */
  readonly nanoseconds: Quartiles
  /** How many times ours; none for ours. */
  readonly ratio: Quartiles | undefined
}

/** What became of a contest. */
export interface DecisionResult {
  readonly title: string
  readonly rows: readonly DecisionRow[]
}

/** Decisions of a slice: a slice of the cheapest takes some milliseconds. */
const SLICE = 100_000

/** Measures what single decisions cost, ours beside what a user would pick, in this process, in turns. */
export async function measureDecisions(
  { effort }: RunOptions,
  note: (line: string) => void,
): Promise<readonly DecisionResult[]> {
  const results: DecisionResult[] = []
  for (const contest of [...limiterContests(), matcherContest()]) {
    note(`decisions: ${contest.title}`)
    results.push(await hold(contest, effort.rounds * 2, effort.warmUpRounds))
  }
  return results
}

async function hold({ title, contestants }: Contest, rounds: number, warmUpRounds: number): Promise<DecisionResult> {
  const costs = contestants.map((): number[] => [])
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    const outcomes = new Set<number>()
    for (let turn = 0; turn < contestants.length; turn += 1) {
      // Who comes first changes from round to round.
      const place = (turn + Math.max(0, round)) % contestants.length
      const contestant = contestants[place]
      if (contestant === undefined) continue
      const startedAt = monotonicMs()
      outcomes.add(await contestant.run(SLICE))
      if (round >= 0) costs[place]?.push(((monotonicMs() - startedAt) * 1_000_000) / SLICE)
    }
    if (outcomes.size > 1) throw new Error(`${title}: they do not decide the same: ${[...outcomes].join(', ')}`)
  }
  const [ours = []] = costs
  const rows = contestants.map(({ name }, place) => ({
    candidate: name,
    nanoseconds: quartiles(costs[place] ?? []),
    ratio: place === 0 ? undefined : quartiles(pairedRatios(costs[place] ?? [], ours)),
  }))
  return { title, rows }
}
