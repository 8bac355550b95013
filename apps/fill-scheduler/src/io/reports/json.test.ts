import { describe, expect, it } from 'vitest'
import { lotOf } from '../../testing/reference-lots.js'
import { sampleReport } from '../../testing/report-samples.js'
import { scheduleJson } from './json.js'

describe('the JSON document of a plan', () => {
  it('says what was planned, what came of it, and which form it has', () => {
    const lots = [lotOf('A1', 'VialE', 100_000, { dueHours: 30.5, priority: 3 })]
    const settings = { timeZone: 'Europe/Berlin' }
    const document = JSON.parse(scheduleJson(sampleReport({ lots, settings })))
    expect(Object.keys(document)).toEqual(['schedule', 'results', 'metadata'])
    expect(document.schedule).toMatchObject({
      name: 'Week 1',
      strategy: 'lpt-pack',
      mode: 'improved',
      start: '2025-01-01T08:00:00+01:00',
      time_zone: 'Europe/Berlin',
      lots: [{ lot_id: 'A1', lot_type: 'VialE', vials: 100_000, due: '2025-01-02T14:30:00+01:00', priority: 3 }],
      config: { windowHours: 120 },
    })
    expect(document.results).toMatchObject({
      makespan: 24 + 100_000 / 19_920,
      lots_scheduled: 1,
      changeovers: 0,
      window_violations: 0,
      execution_time: 0.012,
      kpis: { 'Makespan (h)': '29.02' },
      proof: null,
    })
    expect(document.results.activities[1]).toEqual({
      start: '2025-01-02T08:00:00+01:00',
      end: '2025-01-02T13:01:12.289+01:00',
      start_hours: 24,
      end_hours: 24 + 100_000 / 19_920,
      hours: expect.closeTo(100_000 / 19_920, 9),
      kind: 'FILL',
      line: 1,
      lot_id: 'A1',
      lot_type: 'VialE',
      note: '100000 vials',
      frozen: false,
    })
    expect(document.metadata).toEqual({
      api_version: '1.0',
      format_version: '1.0',
      generator: 'fill-scheduler',
      generated_at: '2025-01-01T06:30:00.000Z',
    })
  })
})
