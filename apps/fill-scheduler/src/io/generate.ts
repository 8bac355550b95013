import { seededRandom } from '../random.js'
import { csvText } from './reports/csv-text.js'

/** What to generate. Left out: 500 lots of four types from 20,000 to 2,300,000 vials, seed 42. */
export interface LotRecipe {
  readonly count?: number
  /** A whole number from 0 to 4,294,967,295; the same seed gives the same lots on every machine. */
  readonly seed?: number
  readonly types?: readonly string[]
  readonly vialsMin?: number
  readonly vialsMax?: number
}

/** A row of a file of lots. */
export interface LotRow {
  readonly id: string
  readonly type: string
  readonly vials: number
}

/** Lots for trials: ids `L001`, `L002`, …, types and vials evenly spread. */
export function generateLots(recipe: LotRecipe = {}): LotRow[] {
  const { count = 500, seed = 42, types = ['VialE', 'VialH', 'VialF', 'VialX'] } = recipe
  const { vialsMin = 20_000, vialsMax = 2_300_000 } = recipe
  checkRecipe({ count, seed, types, vialsMin, vialsMax })
  const random = seededRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  return Array.from({ length: count }, (_, index) => ({
    id: `L${String(index + 1).padStart(3, '0')}`,
    type: types[below(types.length)] ?? '',
    vials: vialsMin + below(vialsMax - vialsMin + 1),
  }))
}

/** Rows as the text of a file with the columns `Lot ID`, `Type`, `Vials`. */
export function lotsAsCsv(rows: readonly LotRow[]): string {
  return csvText([['Lot ID', 'Type', 'Vials'], ...rows.map(({ id, type, vials }) => [id, type, String(vials)])])
}

function checkRecipe({ count, seed, types, vialsMin, vialsMax }: Required<LotRecipe>): void {
  checkWhole('count', count, 1, 5_000)
  checkWhole('seed', seed, 0, 4_294_967_295)
  checkWhole('vialsMin', vialsMin, 1, 1_000_000_000)
  checkWhole('vialsMax', vialsMax, vialsMin, 1_000_000_000)
  checkWhole('the number of types', types.length, 1, 1_000)
}

function checkWhole(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new RangeError(`${name} must be a whole number from ${min} to ${max}, received ${value}`)
}
