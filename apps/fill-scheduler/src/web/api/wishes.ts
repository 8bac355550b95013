import { RequestError, ask } from './request.js'

/** Wishes of which nobody knows what became, by what was asked for. */
const open = new Map<string, string>()
/** The oldest is forgotten: whoever made so many since does not mean it any more. */
const OPEN_MAX = 5

/**
 * Has something made, once: as long as the answer to a wish was lost, the same wish goes out under the same key, and the server answers what it has made already.
 * Throws a `RequestError`.
 */
export async function wish<T>(path: string, json: unknown): Promise<T> {
  const name = `${path} ${JSON.stringify(json)}`
  const key = open.get(name) ?? newKey()
  open.delete(name)
  open.set(name, key)
  for (const oldest of [...open.keys()].slice(0, -OPEN_MAX)) open.delete(oldest)
  try {
    const made = await ask<T>(path, { method: 'POST', json, key })
    open.delete(name)
    return made
  } catch (error) {
    // What it stood for is gone, or something else: the next try is another wish.
    if (error instanceof RequestError && error.code === 'idempotency_conflict') open.delete(name)
    throw error
  }
}

/** A text that nobody guesses. `crypto.randomUUID` is not there for pages without TLS. */
export function newKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-')
}
