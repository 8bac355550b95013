import type { Lot } from './lot.js'

/** What a line does: cleaning opens a block; `CLOSED` is waiting for working time. */
export type ActivityKind = 'CLEAN' | 'CHANGEOVER' | 'FILL' | 'CLOSED'

/** One bar of the Gantt chart. Activities of a line follow each other without overlap and without gap. */
export interface Activity {
  readonly kind: ActivityKind
  /** 1 for the first line. */
  readonly line: number
  /** Hours after the start of the plan. */
  readonly startHours: number
  readonly endHours: number
  /** Of a `FILL`: the lot. */
  readonly lotId?: string
  /** Of a `FILL`: its type; of a `CHANGEOVER`: `from->to`. */
  readonly lotType?: string
  /** `Block reset`, `8h`, `1000000 vials`, `Closed`. */
  readonly note?: string
  /** It had begun before the moment from which was planned anew, and was not touched. */
  readonly frozen?: boolean
}

/**
 * What is decided: for each line its blocks, for each block its lots in order. Times follow from it and the rules. Each
 * block begins with a cleaning, but the first of a line whose start has an open block: that goes on, and is empty when
 * nothing more is filled in it. Without lots and starts a plan is one empty block.
 */
export type Arrangement = readonly (readonly (readonly Lot[])[])[]

/** A plan with its times. */
export interface Plan {
  /** By line, then by time. */
  readonly activities: readonly Activity[]
  /** From the first start to the last end, in hours. */
  readonly makespanHours: number
}
