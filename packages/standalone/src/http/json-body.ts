/**
 * Whether a request says that its body is JSON, exactly: `application/json`, perhaps with the charset that JSON has (RFC 8259, 8.1). A page of another site can send
 * everything that looks similar without being asked (fetch standard, 2.2.2, CORS-safelisted request headers).
 */
function isJson(request: Request): boolean {
  return /^application\/json(?: *; *charset=(?:utf-8|"utf-8"))?$/i.test(request.headers.get('content-type') ?? '')
}

/** Why a body was not read: what it says of itself, or how long it is. */
export type Unread = 'unsupported' | 'too_big'

/**
 * The value of a JSON body of at most `bytesMax` bytes; undefined where it is no JSON. Not more than that is ever held, whatever length was declared; a
 * compressed body is not read at all.
 */
export async function readJson(
  request: Request,
  bytesMax: number,
): Promise<{ readonly value: unknown } | { readonly unread: Unread }> {
  if (!isJson(request) || request.headers.has('content-encoding')) return { unread: 'unsupported' }
  if (Number(request.headers.get('content-length') ?? 0) > bytesMax) return { unread: 'too_big' }
  const text = await boundedText(request, bytesMax)
  return text === undefined ? { unread: 'too_big' } : { value: parsed(text) }
}

async function boundedText({ body }: Request, bytesMax: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > bytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
