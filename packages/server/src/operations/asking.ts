import { UnserialisableError } from '@holdfast/protocol'
import { HoldfastError, asHoldfastError } from '../core/errors.js'

/** An engine that is away is told as such. */
export async function asked<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (error) {
    throw error instanceof HoldfastError || error instanceof UnserialisableError ? error : asHoldfastError(error)
  }
}

/** Whether the engine could not be reached; anything else is wrong with the end itself. */
export function isAway(error: unknown): boolean {
  if (error instanceof HoldfastError) return error.code === 'engine_unavailable'
  return !(error instanceof UnserialisableError)
}

/** Whether work stopped because this signal asked it to. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError')
}
