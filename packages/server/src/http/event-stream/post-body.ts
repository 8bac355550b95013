import { ApiRefusal } from '../api-error.js'
import { readText } from '../request-body.js'

/**
 * The text of a body of frames, of at most `bytesMax` bytes.
 *
 * @throws ApiRefusal `limit_exceeded` (413), `bad_request` for what is no UTF-8 or is compressed.
 */
export async function readFrames({ headers, body }: Request, bytesMax: number): Promise<string> {
  if (headers.has('content-encoding'))
    throw new ApiRefusal('bad_request', 'Content-Encoding must be left out', { status: 415, field: 'Content-Encoding' })
  if (body === null) return ''
  return readText(body, bytesMax)
}
