import { ApiRefusal } from './api-error.js'
import { type JsonLimits, type JsonText, readJsonText } from './json-text.js'

/** JSON, perhaps with the charset that JSON has (RFC 8259, 8.1). A page of another site can send everything that looks similar without being asked. */
const JSON_TYPE = /^application\/json(?: *; *charset=(?:utf-8|"utf-8"))?$/i

/** A body as it came: its text, and what that says. */
export interface RequestBody extends JsonText {
  readonly text: string
}

/** No body at all stands for an empty object. */
const EMPTY: RequestBody = { text: '', value: {}, data: new Map() }

/**
 * Reads a JSON body of at most `bytesMax` bytes; not more than that is ever held. No body at all is an empty object.
 *
 * @throws ApiRefusal `bad_request` (400, or 415 for what is not JSON by its own word), `limit_exceeded` (413).
 */
export async function readBody(request: Request, limits: JsonLimits, bytesMax: number): Promise<RequestBody> {
  const { headers, body } = request
  if (body === null || headers.get('content-length') === '0') return EMPTY
  const type = headers.get('content-type')
  if (type !== null && !JSON_TYPE.test(type)) throw notJson()
  if (headers.has('content-encoding'))
    throw new ApiRefusal('bad_request', 'Content-Encoding must be left out', { status: 415, field: 'Content-Encoding' })
  if (Number(headers.get('content-length') ?? 0) > bytesMax) throw tooLarge(bytesMax)
  const text = await readText(body, bytesMax)
  // Whether there is a body is known when it has ended: not every server in front says it before.
  if (text === '') return EMPTY
  if (type === null) throw notJson()
  return { text, ...readJsonText(text, limits) }
}

function notJson(): ApiRefusal {
  return new ApiRefusal('bad_request', 'Content-Type must be application/json', { status: 415, field: 'Content-Type' })
}

/**
 * The text of a body of at most `bytesMax` bytes.
 *
 * @throws ApiRefusal `limit_exceeded` (413), `bad_request` for what is no UTF-8.
 */
export async function readText(body: ReadableStream<Uint8Array>, bytesMax: number): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let bytes = 0
  let text = ''
  try {
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength
      if (bytes > bytesMax) throw tooLarge(bytesMax)
      text += decoder.decode(chunk, { stream: true })
    }
    return text + decoder.decode()
  } catch (error) {
    if (error instanceof ApiRefusal) throw error
    throw new ApiRefusal('bad_request', 'the body is not UTF-8, or did not arrive whole')
  }
}

function tooLarge(bytesMax: number): ApiRefusal {
  return new ApiRefusal('limit_exceeded', `the body must be at most ${bytesMax} bytes`, { status: 413 })
}
