import type { PublishRequest, Retention } from './engine.js'

/** How many messages a log keeps with the one that is stored at `place`: as many as its retention says, without those that are settled. */
export function sizeWith(
  request: { readonly retention: Retention | undefined; readonly settled?: PublishRequest['settled'] | undefined },
  place: { readonly epoch: string; readonly offset: number },
): number {
  const { retention, settled } = request
  const size = retention?.size ?? 0
  if (settled === undefined || settled.epoch !== place.epoch) return size
  return Math.max(1, Math.min(size, place.offset - settled.offset))
}
