import { EXIT, Failure } from '../failure.js'

/** The value that a text on the command line holds as JSON. Throws a `Failure` that shows how JSON is written. */
export function readJsonText(name: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new Failure(
      `${name} must be a JSON value such as '{"text":"hello"}' or '"hello"', received ${JSON.stringify(text)}`,
      EXIT.usage,
    )
  }
}

/** The same for what must be an object. */
export function readJsonObject(name: string, text: string): object {
  const value = readJsonText(name, text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new Failure(`${name} must be a JSON object such as '{"batch":7}', received ${JSON.stringify(text)}`, EXIT.usage)
}
