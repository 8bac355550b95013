import type { PublishRequest } from './engine.js'

/** How many messages a log keeps with the one that is stored at `place`: the `size` of its retention, without those that are settled. */
export function sizeWith(
  size: number,
  settled: PublishRequest['settled'],
  place: { readonly epoch: string; readonly offset: number },
): number {
  if (settled === undefined || settled.epoch !== place.epoch) return size
  return Math.max(1, Math.min(size, place.offset - settled.offset))
}
