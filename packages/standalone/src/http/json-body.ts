/**
 * Whether a request says that its body is JSON, exactly: `application/json`, perhaps with the charset that JSON has (RFC 8259, 8.1). A page of another site can send
 * everything that looks similar without being asked (fetch standard, 2.2.2, CORS-safelisted request headers).
 */
export function isJson(request: Request): boolean {
  return /^application\/json(?: *; *charset=(?:utf-8|"utf-8"))?$/i.test(request.headers.get('content-type') ?? '')
}
