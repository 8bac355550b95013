import { describe, expect, it } from 'vitest'
import { resultFigures } from './result-figures.js'

const kpis = {
  'Makespan (h)': '37649.46',
  'Total Clean (h)': '24.00',
  'Total Changeover (h)': '4.00',
  'Total Fill (h)': '52.00',
  'Lots Scheduled': '2',
  'Clean Blocks': '1',
}
const result = {
  makespan: 37649.46,
  utilization: 80,
  changeovers: 1,
  lots_scheduled: 2,
  window_violations: 0,
  kpis,
  warnings: [],
  activities: [],
}

describe('the figures of a plan', () => {
  it('can be read at a glance, one of something as one', () => {
    expect(resultFigures(result)).toEqual([
      ['Makespan', '37,649.5 h', '1,568.7 days'],
      ['Utilisation', '80.0 %', 'of the line hours'],
      ['Filling', '52.0 h', '2 lots'],
      ['Cleaning', '24.0 h', '1 clean window'],
      ['Changeovers', '4.0 h', '1 time'],
    ])
  })

  it('have waiting and lateness where there is some', () => {
    const statistics = { closedHours: 18, lateLots: 1, lateHours: 69.24 }
    expect(resultFigures({ ...result, statistics }).slice(5)).toEqual([
      ['Closed', '18.0 h', 'no working time'],
      ['Late', '1 lot', '69.2 h in all'],
    ])
    expect(resultFigures({ ...result, statistics: { closedHours: 0, lateLots: 0 } })).toHaveLength(5)
  })
})
