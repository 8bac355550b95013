import { z } from '@hono/zod-openapi'
import type { RunTimes } from '../store/store.js'

const seconds = z.number().nullable()

/** How long runs of one strategy waited for their turn, and how long those took that found a plan. */
export const runTimesSchema = z
  .object({
    begun: z.int(),
    median_wait_seconds: seconds.openapi({ description: 'Of all that have begun.' }),
    longest_wait_seconds: seconds,
    completed: z.int(),
    median_run_seconds: seconds.openapi({ description: 'Of all that are completed, from the first attempt on.' }),
    longest_run_seconds: seconds,
  })
  .openapi('RunTimes')

/** The same by strategy, of the schedules of a user. */
export function runTimesOf(times: readonly RunTimes[]): Record<string, z.infer<typeof runTimesSchema>> {
  const strategies = [...new Set(times.map(({ strategy }) => strategy))]
  return Object.fromEntries(
    strategies.map((strategy) => [strategy, summaryOf(times.filter((each) => each.strategy === strategy))]),
  )
}

function summaryOf(times: readonly RunTimes[]): z.infer<typeof runTimesSchema> {
  const completed = times.filter(({ status }) => status === 'completed')
  const waits = sorted(times.map(({ createdAt, startedAt }) => secondsBetween(createdAt, startedAt)))
  const runs = sorted(completed.map(({ startedAt, endedAt }) => secondsBetween(startedAt, endedAt)))
  return {
    begun: waits.length,
    median_wait_seconds: median(waits),
    longest_wait_seconds: waits.at(-1) ?? null,
    completed: runs.length,
    median_run_seconds: median(runs),
    longest_run_seconds: runs.at(-1) ?? null,
  }
}

/** Servers whose clocks differ may say that something ended before it began. */
function secondsBetween(from: string | undefined, to: string | undefined): number | undefined {
  if (from === undefined || to === undefined) return undefined
  return Math.max(0, Date.parse(to) - Date.parse(from)) / 1_000
}

function sorted(values: readonly (number | undefined)[]): readonly number[] {
  return values.filter((value) => value !== undefined).toSorted((one, other) => one - other)
}

/** Of two in the middle the lower one: a time that was measured. */
function median(values: readonly number[]): number | null {
  return values[Math.floor((values.length - 1) / 2)] ?? null
}
