import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../clock.js'
import { generateLots } from '../io/generate.js'
import { readLots } from '../io/lots-csv.js'
import type { Lot } from '../planning/lot.js'
import { DEFAULT_SETTINGS, settingsSchema } from '../planning/settings.js'
import type { PlanningProgress } from '../planning/strategy.js'
import { InputError } from '../problem.js'
import { type PlanRequest, PlanningFailure, planInThread } from './plan-in-thread.js'

describe('planning in a thread', () => {
  let lots: readonly Lot[]

  beforeAll(async () => {
    const text = await readFile(new URL('../../data/example-lots.csv', import.meta.url), 'utf8')
    lots = readLots(text, DEFAULT_SETTINGS).lots
  })

  const request = (more: Partial<PlanRequest> = {}): PlanRequest => ({
    lots,
    settings: DEFAULT_SETTINGS,
    strategy: 'smart-pack',
    mode: 'classic',
    ...more,
  })

  const long = (): PlanRequest => {
    const many = generateLots({ count: 300, seed: 42 }).map((row) => ({ ...row, fillHours: row.vials / 19_920 }))
    return request({ lots: many, strategy: 'improver', mode: 'improved' })
  }

  it('answers what planning here would', async () => {
    const { plan, kpis } = await planInThread(request())
    expect(plan.makespanHours).toBeCloseTo(513.16, 2)
    expect(kpis['Lots Scheduled']).toBe('15')
  })

  it('ends within a second when it is aborted, with the reason', async () => {
    const abort = new AbortController()
    const reason = new Error('enough')
    let begun = (): void => undefined
    const beginning = new Promise<void>((resolve) => (begun = resolve))
    const planning = planInThread(long(), { signal: abort.signal, onProgress: () => begun() })
    await Promise.race([beginning, planning])
    const at = systemClock.monotonic()
    abort.abort(reason)
    await expect(planning).rejects.toBe(reason)
    expect(systemClock.monotonic() - at).toBeLessThan(1_000)
  })

  it('does not begin when it is aborted before', async () => {
    await expect(planInThread(request(), { signal: AbortSignal.abort('no') })).rejects.toBe('no')
  })

  it('tells how far it is, ten times a second at most', async () => {
    const told: PlanningProgress[] = []
    const settings = settingsSchema.parse({ strategies: { improver: { timeLimitSeconds: 1 } } })
    const result = await planInThread({ ...long(), settings }, { onProgress: (progress) => told.push(progress) })
    expect(told.length).toBeGreaterThan(0)
    expect(told.length).toBeLessThan((result.elapsedMs / 1_000) * 10 + 5)
  })

  it('refuses what a strategy cannot plan, naming the setting', async () => {
    const settings = settingsSchema.parse({ lines: 2 })
    const refused = await planInThread(request({ settings })).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(InputError)
    expect((refused as InputError).problems[0]?.field).toBe('lines')
  })

  it('fails with a code of its own when its memory is used up', async () => {
    const failed = await planInThread(long(), { memoryMb: 4 }).catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(PlanningFailure)
    expect((failed as PlanningFailure).code).toBe('planning_out_of_memory')
  })
})
