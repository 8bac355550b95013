import type { Kpis, PlanStatistics } from './strategy.js'

/** The six figures of a plan as text: hours with two decimals, numbers whole. */
export function kpisOf(statistics: PlanStatistics): Kpis {
  return {
    'Makespan (h)': statistics.makespanHours.toFixed(2),
    'Total Clean (h)': statistics.cleanHours.toFixed(2),
    'Total Changeover (h)': statistics.changeoverHours.toFixed(2),
    'Total Fill (h)': statistics.fillHours.toFixed(2),
    'Lots Scheduled': String(statistics.lots),
    'Clean Blocks': String(statistics.blocks),
  }
}
