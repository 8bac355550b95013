/** Headers of every answer: nothing is sniffed, framed, shared with other sites or told to them. A handler may say something else, such as the policy of a page. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

/** A year. Only over TLS: said in clear it is ignored (RFC 6797, 8.1), and behind a proxy that ends TLS it is that proxy's word that counts. */
const TRANSPORT_SECURITY = 'max-age=31536000; includeSubDomains'

/** Adds the headers that the answer does not have yet. */
export function secure(response: Response, overTls: boolean = false): Response {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    if (!response.headers.has(name)) response.headers.set(name, value)
  }
  if (overTls) response.headers.set('strict-transport-security', TRANSPORT_SECURITY)
  return response
}
