import type { Lot } from '../planning/lot.js'
import type { PlanningTask } from '../planning/strategy.js'
import type { StrategyName } from '../planning/strategy-name.js'
import type { Rules } from '../planning/rules.js'
import { DEFAULT_SETTINGS } from '../planning/settings.js'
import { systemClock } from '../clock.js'

/** The rules of the default settings: one line that never rests. */
export const DEFAULT_RULES: Rules = {
  cleanHours: 24,
  windowHours: 120,
  changeover: { sameTypeHours: 4, differentTypeHours: 8, matrix: {}, spacingHours: 0 },
  lines: 1,
  latePenaltyPerHour: 1,
}

/** A lot at the default fill rate. */
export function lotOf(id: string, type: string, vials: number, more: Partial<Lot> = {}): Lot {
  return { id, type, vials, fillHours: vials / DEFAULT_SETTINGS.fillRateVialsPerHour, ...more }
}

/** A task in `classic` mode with default settings, but for what is named. */
export function taskOf(lots: readonly Lot[], change: Partial<PlanningTask> = {}): PlanningTask {
  return {
    lots,
    rules: DEFAULT_RULES,
    settings: DEFAULT_SETTINGS,
    mode: 'classic',
    now: () => systemClock.monotonic(),
    ...change,
  }
}

/** What the reference came to for one run. Hours as it prints them; `|` begins a block. */
export interface ReferenceRun {
  readonly makespan: string
  readonly clean?: string
  readonly changeover?: string
  readonly blocks?: string
  readonly sequence?: string
}

/** Lots with what the reference made of them, strategy by strategy, in classic mode. */
export interface ReferenceDataset {
  readonly name: string
  readonly lots: readonly Lot[]
  readonly runs: Readonly<Record<Exclude<StrategyName, 'exact' | 'improver'> | 'given', ReferenceRun>>
}

/** The example of 15 lots; 497.16 h is the least that any plan of it takes. */
export const EXAMPLE_LOTS: readonly Lot[] = [
  lotOf('A1', 'VialE', 100_000),
  lotOf('A2', 'VialH', 900_000),
  lotOf('A3', 'VialE', 750_000),
  lotOf('A4', 'VialH', 1_000_000),
  lotOf('A5', 'VialE', 30_000),
  lotOf('B1', 'VialH', 700_000),
  lotOf('B2', 'VialH', 500_000),
  lotOf('C1', 'VialE', 20_000),
  lotOf('C2', 'VialH', 100_000),
  lotOf('C3', 'VialH', 50_000),
  lotOf('C4', 'VialE', 1_200_000),
  lotOf('C5', 'VialH', 625_000),
  lotOf('C6', 'VialH', 10_000),
  lotOf('B3', 'VialH', 800_000),
  lotOf('C7', 'VialE', 250_000),
]

const MIXED_LONGEST_FIRST = '| L005 L008 L004 L007 L002 L003 L006 L001'

/** Every dataset whose results are known, and the results. */
export const REFERENCE_DATASETS: readonly ReferenceDataset[] = [
  {
    name: 'the example of 15 lots',
    lots: EXAMPLE_LOTS,
    runs: {
      given: { makespan: '545.16', clean: '120.00', changeover: '72.00', blocks: '5' },
      'smart-pack': {
        makespan: '513.16',
        clean: '96.00',
        changeover: '64.00',
        blocks: '4',
        sequence: '| C4 A2 C3 | A4 B3 C7 C1 | A3 B1 B2 C2 | C5 A1 A5 C6',
      },
      'spt-pack': {
        makespan: '497.16',
        clean: '96.00',
        changeover: '48.00',
        blocks: '4',
        sequence: '| C6 C3 C2 B2 C5 B1 | B3 A2 C1 A5 A1 | C7 A3 C4 | A4',
      },
      'lpt-pack': {
        makespan: '497.16',
        clean: '96.00',
        changeover: '48.00',
        blocks: '4',
        sequence: '| C4 A3 C7 | A1 A5 C1 C6 A4 B1 | C5 B2 C2 C3 | A2 B3',
      },
      'cfs-pack': {
        makespan: '497.16',
        clean: '96.00',
        changeover: '48.00',
        blocks: '4',
        sequence: '| A4 A2 C2 C3 C6 | C4 A3 C7 | A1 A5 C1 B3 B1 | C5 B2',
      },
      'hybrid-pack': {
        makespan: '529.16',
        clean: '120.00',
        changeover: '56.00',
        blocks: '5',
        sequence: '| C4 A2 C3 | A4 B3 C7 C1 | A3 B1 B2 C2 | C5 A1 A5 | C6',
      },
    },
  },
  {
    name: 'simple_lots',
    lots: [lotOf('L001', 'TypeA', 1000), lotOf('L002', 'TypeB', 2000), lotOf('L003', 'TypeA', 1500)],
    runs: {
      given: { makespan: '40.23', sequence: '| L001 L002 L003' },
      'smart-pack': { makespan: '36.23' },
      'spt-pack': { makespan: '36.23' },
      'lpt-pack': { makespan: '36.23' },
      'cfs-pack': { makespan: '36.23' },
      'hybrid-pack': { makespan: '36.23' },
    },
  },
  {
    name: 'mixed_types',
    lots: [
      lotOf('L001', 'A', 50_000),
      lotOf('L002', 'B', 100_000),
      lotOf('L003', 'A', 75_000),
      lotOf('L004', 'B', 125_000),
      lotOf('L005', 'C', 150_000),
      lotOf('L006', 'A', 60_000),
      lotOf('L007', 'B', 110_000),
      lotOf('L008', 'C', 140_000),
    ],
    runs: {
      given: { makespan: '120.66', sequence: '| L001 L002 L003 L004 L005 L006 L007 L008' },
      'smart-pack': { makespan: '100.66', sequence: MIXED_LONGEST_FIRST },
      'spt-pack': { makespan: '100.66', sequence: '| L001 L006 L003 L002 L007 L004 L008 L005' },
      'lpt-pack': { makespan: '100.66', sequence: MIXED_LONGEST_FIRST },
      'cfs-pack': { makespan: '100.66', sequence: '| L003 L006 L001 L004 L007 L002 L005 L008' },
      'hybrid-pack': { makespan: '100.66', sequence: MIXED_LONGEST_FIRST },
    },
  },
  {
    name: 'same_type_lots',
    lots: [
      lotOf('L001', 'A', 50_000),
      lotOf('L002', 'A', 75_000),
      lotOf('L003', 'A', 100_000),
      lotOf('L004', 'A', 125_000),
      lotOf('L005', 'A', 150_000),
    ],
    runs: {
      given: { makespan: '65.10' },
      'smart-pack': { makespan: '65.10' },
      'spt-pack': { makespan: '65.10' },
      'lpt-pack': { makespan: '65.10' },
      'cfs-pack': { makespan: '65.10' },
      'hybrid-pack': { makespan: '65.10' },
    },
  },
  {
    name: 'single_lot',
    lots: [lotOf('L001', 'A', 10_000)],
    runs: {
      given: { makespan: '24.50' },
      'smart-pack': { makespan: '24.50' },
      'spt-pack': { makespan: '24.50' },
      'lpt-pack': { makespan: '24.50' },
      'cfs-pack': { makespan: '24.50' },
      'hybrid-pack': { makespan: '24.50' },
    },
  },
]
