/** Which way bytes travel: `up` to the server behind the proxy, `down` to whoever connected. */
export type Direction = 'up' | 'down'

/** What one direction of all lines suffers. */
export interface Conditions {
  /** Every piece arrives so much later. */
  latencyMs: number
  /** At most so many bytes a second, on each line. */
  bytesPerSecond: number
  /** Pieces of so many bytes, one in each `sliceGapMs`. */
  sliceBytes: number
  sliceGapMs: number
  /** Nothing is read: the sender's window fills up, and then its queues. */
  isBlocked: boolean
  /** Everything is read and nothing arrives: the sender notices nothing. */
  isSunk: boolean
}

/** A direction that suffers nothing. */
export function fairWeather(): Conditions {
  return {
    latencyMs: 0,
    bytesPerSecond: Infinity,
    sliceBytes: Infinity,
    sliceGapMs: 0,
    isBlocked: false,
    isSunk: false,
  }
}

/** Whether bytes can be handed on at once. */
export function isFair(conditions: Conditions): boolean {
  const { latencyMs, bytesPerSecond, sliceBytes, isBlocked, isSunk } = conditions
  return latencyMs === 0 && bytesPerSecond === Infinity && sliceBytes === Infinity && !isBlocked && !isSunk
}
