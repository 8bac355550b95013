import type { Lot } from './lot.js'
import type { Activity, Arrangement, Plan } from './plan.js'
import { EPSILON_HOURS, type LineStart, type Rules } from './rules.js'
import { continuedBlock, eagerBlock, freshBlock, lineAt, type LineState, type TimedBlock } from './line.js'

/**
 * Gives times to what was decided: everything as early as the rules allow, `CLOSED` where it has to wait. A block that
 * does not fit into its window is planned all the same, overrunning it, for `validatePlan` to tell. Throws a
 * `RangeError` where working time is never long enough for an activity.
 */
export function timetable(arrangement: Arrangement, rules: Rules): Plan {
  const lines = Math.max(arrangement.length, rules.starts?.length ?? 0)
  const activities = Array.from({ length: lines }, (_, index) =>
    lineActivities(arrangement[index] ?? [], index + 1, rules.starts?.[index], rules),
  ).flat()
  return { activities, makespanHours: makespanOf(activities) }
}

function makespanOf(activities: readonly Activity[]): number {
  let first = Infinity
  let last = -Infinity
  for (const { startHours, endHours } of activities) {
    first = Math.min(first, startHours)
    last = Math.max(last, endHours)
  }
  return activities.length === 0 ? 0 : last - first
}

function lineActivities(
  blocks: readonly (readonly Lot[])[],
  line: number,
  start: LineStart | undefined,
  rules: Rules,
): Activity[] {
  const writer = new LineWriter(line, start?.activities ?? [])
  let state = lineAt(start, rules)
  for (const [index, lots] of blocks.entries()) {
    const fresh = index > 0 || state.closesHours === undefined
    const block = timedBlock(state, lots, rules, fresh)
    writeBlock(writer, block, lots, state.previousType, rules)
    state = block.after
  }
  return writer.activities
}

function timedBlock(state: LineState, lots: readonly Lot[], rules: Rules, fresh: boolean): TimedBlock {
  const block =
    (fresh ? freshBlock(state, lots, rules) : continuedBlock(state, lots, rules)) ??
    eagerBlock(state, lots, rules, fresh)
  if (block !== undefined) return block
  throw new RangeError(`working time is never long enough for the block of lots ${lots.map(({ id }) => id).join(', ')}`)
}

function writeBlock(
  writer: LineWriter,
  { cleanStart, slots }: TimedBlock,
  lots: readonly Lot[],
  openType: string | undefined,
  rules: Rules,
): void {
  if (cleanStart !== undefined) writer.add('CLEAN', cleanStart, rules.cleanHours, { note: 'Block reset' })
  let previous = cleanStart === undefined ? openType : undefined
  for (const [index, lot] of lots.entries()) {
    const slot = slots[index]
    if (slot === undefined) break
    if (slot.changeoverHours > 0) {
      writer.add('CHANGEOVER', slot.changeoverStart, slot.changeoverHours, {
        lotType: `${previous ?? ''}->${lot.type}`,
        note: `${Number(slot.changeoverHours.toFixed(2))}h`,
      })
    }
    writer.add('FILL', slot.fillStart, lot.fillHours, {
      lotId: lot.id,
      lotType: lot.type,
      note: `${lot.vials} vials`,
    })
    previous = lot.type
  }
}

/** Writes the activities of one line without gaps. */
class LineWriter {
  readonly activities: Activity[]
  readonly #line: number
  #atHours: number

  constructor(line: number, before: readonly Activity[]) {
    this.#line = line
    this.activities = [...before]
    this.#atHours = before.at(-1)?.endHours ?? 0
  }

  add(
    kind: Activity['kind'],
    startHours: number,
    lengthHours: number,
    about: Pick<Activity, 'lotId' | 'lotType' | 'note'>,
  ): void {
    if (startHours > this.#atHours + EPSILON_HOURS) this.#push('CLOSED', startHours, { note: 'Closed' })
    this.#push(kind, this.#atHours + lengthHours, about)
  }

  #push(kind: Activity['kind'], endHours: number, about: Pick<Activity, 'lotId' | 'lotType' | 'note'>): void {
    this.activities.push({ kind, line: this.#line, startHours: this.#atHours, endHours, ...about })
    this.#atHours = endHours
  }
}
