/** One thing that an application was told about a channel, in the order in which it was told. */
export type Told =
  | { readonly kind: 'begun'; readonly offset: number }
  | { readonly kind: 'message'; readonly id: string; readonly offset: number }
  | { readonly kind: 'gap'; readonly from: number; readonly to: number | null; readonly reason: string }

/** A publish that was acknowledged. */
export interface Acknowledged {
  readonly epoch: string
  readonly offset: number
  readonly id: string
}

/**
 * Judges what one application was told, against what was acknowledged in the channel since it had begun. Answers the violations, in
 * words: a message told twice, out of order, missing without a gap that says so, or other than the one that was acknowledged at its
 * offset. The acknowledged ones stand in order; the epoch of the last of them is the one in force.
 */
export function checkHistory(told: readonly Told[], acknowledged: readonly Acknowledged[]): string[] {
  return [...checkOrder(told), ...checkIds(told), ...checkCompleteness(told, acknowledged)]
}

/** Offsets follow each other without a hole but for gaps, which begin where the reader was. After a gap without an end a new log begins. */
function checkOrder(told: readonly Told[]): string[] {
  const violations: string[] = []
  let at: number | undefined
  for (const one of told) {
    if (one.kind === 'begun') {
      at ??= one.offset
    } else if (at === undefined) {
      violations.push(`${describe(one)} before the subscription had begun`)
    } else if (one.kind === 'message') {
      if (one.offset !== at + 1) violations.push(`${describe(one)} after offset ${at}`)
      at = one.offset
    } else {
      if (one.from !== at + 1) violations.push(`${describe(one)} after offset ${at}`)
      at = one.to ?? 0
    }
  }
  return violations
}

function checkIds(told: readonly Told[]): string[] {
  const seen = new Set<string>()
  return told.flatMap((one) => {
    if (one.kind !== 'message') return []
    if (seen.has(one.id)) return [`${describe(one)} twice`]
    seen.add(one.id)
    return []
  })
}

function checkCompleteness(told: readonly Told[], acknowledged: readonly Acknowledged[]): string[] {
  const delivered = new Map(told.flatMap((one) => (one.kind === 'message' ? [[one.id, one.offset]] : [])))
  const gaps = told.filter((one) => one.kind === 'gap')
  const newest = acknowledged.at(-1)?.epoch
  return acknowledged.flatMap(({ id, offset, epoch }) => {
    const at = delivered.get(id)
    if (at === offset) return []
    if (at !== undefined) return [`message ${id} at ${at}, acknowledged at ${offset}`]
    const announced = gaps.some(({ from, to }) => from <= offset && (to === null ? epoch !== newest : offset <= to))
    return announced ? [] : [`acknowledged message ${id} at ${offset} of ${epoch} is missing`]
  })
}

function describe(one: Told): string {
  if (one.kind === 'message') return `message ${one.id} at ${one.offset}`
  return one.kind === 'gap' ? `gap ${one.from} to ${one.to} (${one.reason})` : `begun at ${one.offset}`
}
