import { randomUUID } from 'node:crypto'
import { type Clock, pause, systemClock } from '../../clock.js'
import { type Api, type ApiRequest, Refusal, Unreachable } from '../api.js'

/** Milliseconds before each further try. A server that asks for a longer wait than the last of them is not asked again. */
const WAITS_MS = [200, 500, 1_000]

/**
 * Asks, and asks again where nobody knows whether the request was carried out: under one key, so that it is carried out once. Throws as `Api.ask` does, what the last try came to.
 */
export async function insist<T>(api: Api, request: Omit<ApiRequest, 'key'>, clock: Clock = systemClock): Promise<T> {
  const keyed = { ...request, key: randomUUID() }
  for (const waitMs of WAITS_MS) {
    try {
      return await api.ask<T>(keyed)
    } catch (error) {
      if (!mayComeToPass(error)) throw error
    }
    await pause(clock, waitMs)
  }
  return api.ask<T>(keyed)
}

function mayComeToPass(error: unknown): boolean {
  if (error instanceof Unreachable) return true
  return error instanceof Refusal && error.retryable && error.retryAfterMs <= Math.max(...WAITS_MS)
}
