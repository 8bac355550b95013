import type { PlanInput } from '../store/store.js'
import { ApiError } from './api-error.js'

/** Makes something, unless it is there already, which is looked for where `isKeyed` says so: also when somebody else makes it in the same moment. */
export async function once<T>(
  isKeyed: boolean,
  find: () => Promise<T | undefined>,
  make: () => Promise<T>,
): Promise<T> {
  if (!isKeyed) return make()
  const there = await find()
  if (there !== undefined) return there
  try {
    return await make()
  } catch (error) {
    const meanwhile = await find()
    if (meanwhile === undefined) throw error
    return meanwhile
  }
}

/** Whether two requests under one key ask for the same lots by the same settings, from the same moment on. */
export function isSameInput(one: PlanInput, other: PlanInput): boolean {
  const isSameWork = one.lotsHash === other.lotsHash && one.frozen?.fromHours === other.frozen?.fromHours
  return isSameWork && JSON.stringify(one.settings) === JSON.stringify(other.settings)
}

/** Refuses a key that stands for something else, or for something that was deleted. */
export function usedBefore(what: 'schedule' | 'comparison' | 'template'): ApiError {
  return new ApiError('idempotency_conflict', `This key was used for another ${what}`, { status: 409 })
}
