import type { Lot } from './lot.js'
import { changeoverHours, EPSILON_HOURS, type LineStart, type Rules } from './rules.js'

/** Where one line stands while a plan is built. */
export interface LineState {
  /** From when on it is free, in hours after the start of the plan. */
  readonly freeHours: number
  /** When the window of its open block is over; undefined: the next lot needs a cleaning first. */
  readonly closesHours: number | undefined
  /** The type filled last in the open block. */
  readonly previousType: string | undefined
}

/** Where one lot comes to stand, in hours after the start of the plan. */
export interface Slot {
  readonly changeoverStart: number
  /** 0: none is needed. */
  readonly changeoverHours: number
  readonly fillStart: number
  readonly fillEnd: number
}

/** A block with its times. */
export interface TimedBlock {
  /** Undefined: goes on with a block that was open. */
  readonly cleanStart: number | undefined
  readonly slots: readonly Slot[]
  readonly after: LineState
}

/** The line before anything is planned on it. */
export function lineAt(start: LineStart | undefined, rules: Rules): LineState {
  if (start === undefined) return { freeHours: 0, closesHours: undefined, previousType: undefined }
  const { freeHours, open } = start
  if (open === undefined) return { freeHours, closesHours: undefined, previousType: undefined }
  return { freeHours, closesHours: freeHours + rules.windowHours - open.usedHours, previousType: open.previousType }
}

/** Where the lot would stand in the open block; undefined: it does not fit, or no block is open. */
export function slotInOpenBlock(line: LineState, lot: Lot, rules: Rules): Slot | undefined {
  if (line.closesHours === undefined) return undefined
  const slot = slotAfter(line, lot, rules)
  return slot !== undefined && slot.fillEnd <= line.closesHours + EPSILON_HOURS ? slot : undefined
}

/** The line once the lot stands there. */
export function lineAfter(line: LineState, lot: Lot, slot: Slot): LineState {
  return { freeHours: slot.fillEnd, closesHours: line.closesHours, previousType: lot.type }
}

/** These lots in this order in the open block; undefined: they do not fit, or no block is open. */
export function continuedBlock(line: LineState, lots: readonly Lot[], rules: Rules): TimedBlock | undefined {
  if (line.closesHours === undefined) return undefined
  const block = lotsInTurn(line, lots, rules)
  return block === undefined || overrun(block) > EPSILON_HOURS ? undefined : block
}

/**
 * These lots in this order behind a cleaning of their own, which begins as early as their window allows: a rest inside
 * the window may make it begin later than the line is free. Undefined: they do not fit, whenever it begins.
 */
export function freshBlock(line: LineState, lots: readonly Lot[], rules: Rules): TimedBlock | undefined {
  let from = line.freeHours
  for (let attempt = 0; attempt < CLEANING_ATTEMPTS_MAX; attempt += 1) {
    const block = blockFrom(from, lots, rules)
    if (block === undefined) return undefined
    const tooLate = overrun(block)
    if (tooLate <= EPSILON_HOURS) return block
    if (rules.calendar === undefined) return undefined
    // Later cleanings end no block earlier, so nothing before this can do.
    from = (block.cleanStart ?? from) + tooLate
  }
  return undefined
}

/** These lots in this order, as early as possible, whatever the window says; undefined: working time is never long enough for one of them. */
export function eagerBlock(
  line: LineState,
  lots: readonly Lot[],
  rules: Rules,
  fresh: boolean,
): TimedBlock | undefined {
  return fresh ? blockFrom(line.freeHours, lots, rules) : lotsInTurn(line, lots, rules)
}

/** A cleaning is moved behind one rest per attempt: more than this many rests in vain, and it is never. */
const CLEANING_ATTEMPTS_MAX = 1_000

function blockFrom(fromHours: number, lots: readonly Lot[], rules: Rules): TimedBlock | undefined {
  const cleanStart = earliestStart(rules, fromHours, rules.cleanHours)
  if (cleanStart === undefined) return undefined
  const cleaned = cleanStart + rules.cleanHours
  const line = { freeHours: cleaned, closesHours: cleaned + rules.windowHours, previousType: undefined }
  const block = lotsInTurn(line, lots, rules)
  return block === undefined ? undefined : { ...block, cleanStart }
}

function lotsInTurn(line: LineState, lots: readonly Lot[], rules: Rules): TimedBlock | undefined {
  const slots: Slot[] = []
  let after = line
  for (const lot of lots) {
    const slot = slotAfter(after, lot, rules)
    if (slot === undefined) return undefined
    slots.push(slot)
    after = lineAfter(after, lot, slot)
  }
  return { cleanStart: undefined, slots, after }
}

function overrun({ slots, after }: TimedBlock): number {
  return slots.length === 0 ? 0 : after.freeHours - (after.closesHours ?? Infinity)
}

function slotAfter(line: LineState, lot: Lot, rules: Rules): Slot | undefined {
  const changeover = changeoverHours(rules.changeover, line.previousType, lot.type)
  const changeoverStart = changeover > 0 ? earliestStart(rules, line.freeHours, changeover) : line.freeHours
  if (changeoverStart === undefined) return undefined
  const fillStart = earliestStart(rules, changeoverStart + changeover, lot.fillHours)
  if (fillStart === undefined) return undefined
  return { changeoverStart, changeoverHours: changeover, fillStart, fillEnd: fillStart + lot.fillHours }
}

function earliestStart(rules: Rules, fromHours: number, lengthHours: number): number | undefined {
  return rules.calendar === undefined ? fromHours : rules.calendar.earliest(fromHours, lengthHours)
}
