import { timingSafeEqual } from 'node:crypto'

/** Whether two secrets, or digests of them, are the same, in a time that tells of nothing but their length. */
export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}
