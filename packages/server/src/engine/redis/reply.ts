import { EngineUnavailableError } from '../unavailable.js'
import type { Reply } from './shard.js'

/** A list. @throws EngineUnavailableError when the reply is none: then it is no server of ours that answers. */
export function asList(reply: Reply | undefined): readonly Reply[] {
  if (Array.isArray(reply)) return reply as readonly Reply[]
  throw unexpected('a list', reply)
}

/** A text; a number as text. @throws EngineUnavailableError when the reply is neither. */
export function asText(reply: Reply | undefined): string {
  if (typeof reply === 'string') return reply
  if (typeof reply === 'number') return String(reply)
  throw unexpected('a text', reply)
}

/** A number, also one that came as text. @throws EngineUnavailableError when the reply is none. */
export function asNumber(reply: Reply | undefined): number {
  const number = Number(asText(reply))
  if (Number.isNaN(number)) throw unexpected('a number', reply)
  return number
}

/** The value of a JSON text that we have written. @throws EngineUnavailableError when the text is none. */
export function asJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new EngineUnavailableError('the server holds what we have not written', { cause: error })
  }
}

function unexpected(what: string, reply: Reply | undefined): EngineUnavailableError {
  return new EngineUnavailableError(`the server answered ${typeof reply} where ${what} was expected`)
}
