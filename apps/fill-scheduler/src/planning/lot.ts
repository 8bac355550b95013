/** A lot: vials of one type that are filled in one go. Never split. */
export interface Lot {
  /** 1 to 64 characters; unique in a plan. */
  readonly id: string
  /** 1 to 64 characters. Between lots of different types the changeover is longer. */
  readonly type: string
  /** At least 1, whole. */
  readonly vials: number
  /** `vials` divided by the fill rate. */
  readonly fillHours: number
  /** By when it should be filled, in hours after the start of the plan; a soft wish, paid for by the hour. */
  readonly dueHours?: number
  /** How much an hour late costs, relative to other lots (default 1). */
  readonly priority?: number
}
