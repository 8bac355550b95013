import { afterEach, describe, expect, it } from 'vitest'
import { type Holdfast, createHoldfast } from '../holdfast.js'
import type { TokenClaims } from '../access/token.js'
import type { HoldfastOptions } from '../options.js'
import { signToken } from '../sign-token.js'
import { TEST_SECRET } from '../testing/test-node.js'
import type { ProtectedHandler } from './protection.js'

const APP = 'https://app.example.com'
const nodes: Holdfast[] = []

function handlerOf(
  options: Partial<HoldfastOptions> = {},
  answer = () => Response.json({ made: true }),
): ProtectedHandler {
  const origins = { allow: [APP, 'https://*.example.org'], allowMissing: true }
  const node = createHoldfast({ auth: { secret: TEST_SECRET }, environment: 'production', origins, ...options })
  nodes.push(node)
  return node.protect(answer)
}

afterEach(() => Promise.all(nodes.splice(0).map((node) => node.close())))

const ask = (handler: ProtectedHandler, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
  handler(new Request('http://node/', { method, headers }))

const corsOf = ({ headers }: Response): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')))

describe('an answer', () => {
  it('to a page that is named may be read by it, with its credentials', async () => {
    const answer = await ask(handlerOf(), { origin: APP })
    expect(corsOf(answer)).toEqual({
      'access-control-allow-origin': APP,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'ETag, Idempotent-Replayed, Location, Retry-After, WWW-Authenticate',
    })
    expect(answer.headers.get('vary')).toBe('Origin')
  })

  it('to a page that a wildcard allows may be read without credentials', async () => {
    const cors = corsOf(await ask(handlerOf(), { origin: 'https://any.example.org' }))
    expect(cors).toMatchObject({ 'access-control-allow-origin': 'https://any.example.org' })
    expect(cors).not.toHaveProperty('access-control-allow-credentials')
  })

  it.each([
    'https://evil.test',
    'https://example.org',
    'http://app.example.com',
    'null',
    'https://user@app.example.com',
  ])('to %s says nothing of it', async (origin) => {
    const answer = await ask(handlerOf(), { origin })
    expect([answer.status, corsOf(answer), answer.headers.get('vary')]).toEqual([200, {}, 'Origin'])
  })

  it('to anybody may be read in development, without credentials', async () => {
    const answer = await ask(handlerOf({ environment: 'development', origins: [] }), { origin: 'https://evil.test' })
    expect(corsOf(answer)['access-control-allow-origin']).toBe('https://evil.test')
    expect(corsOf(answer)).not.toHaveProperty('access-control-allow-credentials')
  })

  it('to a page of a tenant may be read by it', async () => {
    const handler = handlerOf({ tenants: { acme: { origins: ['https://acme.test'] } } })
    expect(corsOf(await ask(handler, { origin: 'https://acme.test' }))).toMatchObject({
      'access-control-allow-origin': 'https://acme.test',
    })
  })

  it('keeps what the handler says beside', async () => {
    const policy = "default-src 'self'"
    const answer = await ask(
      handlerOf(
        {},
        () => new Response('x', { status: 201, headers: { vary: 'Accept', 'content-security-policy': policy } }),
      ),
    )
    expect(answer.status).toBe(201)
    expect(answer.headers.get('vary')).toBe('Accept, Origin')
    expect(answer.headers.get('content-security-policy')).toBe(policy)
    expect(answer.headers.get('x-frame-options')).toBe('DENY')
  })

  it('has the security headers, and those of TLS only over TLS', async () => {
    const { headers } = await ask(handlerOf())
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    })
    expect(headers.has('strict-transport-security')).toBe(false)
    const secure = await handlerOf()(new Request('https://node/'))
    expect(secure.headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains')
  })

  it('says nothing of what was thrown', async () => {
    const broken = handlerOf({}, () => {
      throw new Error('password 1234')
    })
    const answer = await ask(broken, { origin: APP })
    expect(answer.status).toBe(500)
    expect(await answer.json()).toEqual({
      error: { code: 'internal_error', message: 'Internal error', retryable: true, id: expect.any(String) as string },
    })
    expect(corsOf(answer)).toMatchObject({ 'access-control-allow-origin': APP })
  })
})

describe('a preflight', () => {
  const wanted = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' }

  it('of a page that is allowed is answered without the handler', async () => {
    const handler = handlerOf({}, () => {
      throw new Error('not asked')
    })
    const answer = await ask(handler, { origin: APP, ...wanted }, 'OPTIONS')
    expect(answer.status).toBe(204)
    expect(corsOf(answer)).toMatchObject({
      'access-control-allow-origin': APP,
      'access-control-allow-methods': expect.stringContaining('POST') as string,
      'access-control-allow-headers': expect.stringContaining('Authorization') as string,
      'access-control-max-age': '3600',
    })
  })

  it('of another is refused, with nothing to go by', async () => {
    const answer = await ask(handlerOf(), { origin: 'https://evil.test', ...wanted }, 'OPTIONS')
    expect([answer.status, corsOf(answer)]).toEqual([403, {}])
  })

  it('is not what only looks like one', async () => {
    expect((await ask(handlerOf(), { origin: APP }, 'OPTIONS')).status).toBe(200)
    expect((await ask(handlerOf(), wanted, 'OPTIONS')).status).toBe(200)
  })
})

describe('a request', () => {
  it('to a name that is not ours is answered 421, with nothing of the handler', async () => {
    const handler = handlerOf({ hosts: ['app.example.com'] })
    const answer = await ask(handler, { host: 'evil.test', origin: APP })
    expect([answer.status, corsOf(answer)]).toEqual([421, {}])
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect((await ask(handler, { host: 'app.example.com:8000' })).status).toBe(200)
  })

  it('of two origins is answered 400', async () => {
    expect((await ask(handlerOf(), { origin: `${APP}, https://evil.test` })).status).toBe(400)
  })
})

describe('who asks on a route of the application', () => {
  const node = (): Holdfast => {
    const made = createHoldfast({ auth: { secret: TEST_SECRET } })
    nodes.push(made)
    return made
  }

  const mine = (holdfast: Holdfast): ProtectedHandler =>
    holdfast.protect(async (request, visitor) => {
      const who = await holdfast.identify(request, visitor)
      return 'refusal' in who ? who.refusal : Response.json(who.identity)
    })

  const tokenOf = (claims: Partial<TokenClaims> = {}): string =>
    signToken({ secret: TEST_SECRET, tenant: 'acme', user: 'ada', ttlSeconds: 60, ...claims })

  it('is told by its token, as on the routes of the node', async () => {
    const answer = await ask(mine(node()), { authorization: `Bearer ${tokenOf({ roles: ['staff'] })}` })
    expect(await answer.json()).toMatchObject({ tenant: 'acme', user: 'ada', roles: ['staff'] })
  })

  it('gets the answer of the node when it is nobody, or has a token that was withdrawn', async () => {
    const holdfast = node()
    const handler = mine(holdfast)
    const nobody = await ask(handler)
    expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    const authorization = `Bearer ${tokenOf({ tokenId: 'stolen' })}`
    expect((await ask(handler, { authorization })).status).toBe(200)
    await holdfast.tenant('acme').revokeToken('stolen')
    const withdrawn = await ask(handler, { authorization })
    expect([withdrawn.status, await withdrawn.json()]).toMatchObject([401, { error: { code: 'unauthenticated' } }])
  })
})
