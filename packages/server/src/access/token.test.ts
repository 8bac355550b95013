import { createHmac, createSign, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { TEST_SECRET } from '../testing/test-node.js'
import { type TokenClaims, TokenAuthenticator, type TokenOptions, signTokenAt } from './token.js'

const NOW_S = 1_800_000_000
const clock = { now: () => NOW_S * 1_000 }
const authenticator = new TokenAuthenticator({ secret: TEST_SECRET }, clock)

const HEADER = { alg: 'HS256', typ: 'JWT' }
const CLAIMS = { sub: 'ada', tenant: 'acme', exp: NOW_S + 60 }

const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
const macOf = (content: string, secret = TEST_SECRET, hash = 'sha256'): string =>
  createHmac(hash, secret).update(content).digest('base64url')

/** A token of these parts, rightly signed. Text is taken as it is. */
function make(claims: unknown = CLAIMS, header: unknown = HEADER): string {
  const content = `${encode(header)}.${encode(claims)}`
  return `${content}.${macOf(content)}`
}

const withClaims = (changes: object): string => make({ ...CLAIMS, ...changes })
const withHeader = (changes: object): string => make(CLAIMS, { ...HEADER, ...changes })
/** JSON cannot say everything that a claim may hold; this is the text of a claim. */
const withClaimText = (name: string, text: string): string =>
  make(JSON.stringify({ ...CLAIMS, [name]: '@' }).replace('"@"', text))

function resign(token: string, sign: (content: string) => string): string {
  const content = token.slice(0, token.lastIndexOf('.'))
  return `${content}.${sign(content)}`
}

const failureOf = (token: string, options: Partial<TokenOptions> = {}): string | undefined => {
  const result = new TokenAuthenticator({ secret: TEST_SECRET, ...options }, clock).authenticate(token)
  return 'failure' in result ? result.failure : undefined
}

const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ATTACKER_SECRET = 'attacker-attacker-attacker-attacker'
const GOOD = make()
const [HEAD, BODY, MAC] = GOOD.split('.') as [string, string, string]

/** The same bytes, spelled with other unused bits in the last character. */
function respell(mac: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return mac.slice(0, -1) + letters[letters.indexOf(mac.at(-1) ?? '') ^ 1]
}

const WRONG: Record<string, string> = {
  'is empty': '',
  'is no token': 'hello',
  'is dots alone': '..',
  'has two parts': `${HEAD}.${BODY}`,
  'has an empty signature': `${HEAD}.${BODY}.`,
  'has four parts': `${GOOD}.${MAC}`,
  'has five parts, as an encrypted one': `${HEAD}.${BODY}.${MAC}.${MAC}.${MAC}`,
  'is preceded by Bearer': `Bearer ${GOOD}`,
  'begins with a space': ` ${GOOD}`,
  'ends with a newline': `${GOOD}\n`,
  'ends with NUL': `${GOOD}\0`,
  'has 9 KB': withClaims({ filler: 'x'.repeat(9_000) }),
  'asks for alg none': make(CLAIMS, { alg: 'none' }),
  'asks for alg None': make(CLAIMS, { alg: 'None' }),
  'asks for alg NONE without a signature': `${encode({ alg: 'NONE' })}.${BODY}.`,
  'asks for alg none with a signature of one character': `${encode({ alg: 'none' })}.${BODY}.A`,
  'asks for RS256, signed with an RSA key': resign(withHeader({ alg: 'RS256' }), (content) =>
    createSign('sha256').update(content).sign(RSA.privateKey, 'base64url'),
  ),
  'asks for RS256, signed with the secret': withHeader({ alg: 'RS256' }),
  'asks for HS256, signed with a public key as secret': resign(GOOD, (content) =>
    macOf(content, RSA.publicKey.export({ type: 'spki', format: 'pem' }) as string),
  ),
  'asks for HS384': resign(withHeader({ alg: 'HS384' }), (content) => macOf(content, TEST_SECRET, 'sha384')),
  'asks for HS512': resign(withHeader({ alg: 'HS512' }), (content) => macOf(content, TEST_SECRET, 'sha512')),
  'asks for hs256 in small letters': withHeader({ alg: 'hs256' }),
  'asks for a list of algorithms': withHeader({ alg: ['HS256'] }),
  'has no alg': make(CLAIMS, { typ: 'JWT' }),
  'has its alg on a prototype': make(CLAIMS, '{"__proto__":{"alg":"HS256"}}'),
  'has crit': withHeader({ crit: ['exp'] }),
  'has an empty crit': withHeader({ crit: [] }),
  'has b64': withHeader({ b64: false }),
  'has b64 and crit': withHeader({ b64: false, crit: ['b64'] }),
  'is of another type': withHeader({ typ: 'at+jwt' }),
  'has a type that is no text': withHeader({ typ: 1 }),
  'brings its own key as jwk': resign(withHeader({ jwk: { kty: 'oct', k: encode(ATTACKER_SECRET) } }), (content) =>
    macOf(content, ATTACKER_SECRET),
  ),
  'names its own key as jku': resign(withHeader({ jku: 'https://evil.example/keys' }), (content) =>
    macOf(content, ATTACKER_SECRET),
  ),
  'names an empty file as kid': resign(withHeader({ kid: '../../../dev/null' }), (content) => macOf(content, '\0')),
  'has a header that is no JSON': make(CLAIMS, '{'),
  'has a header that is an array': make(CLAIMS, '["HS256"]'),
  'has a header that is null': make(CLAIMS, 'null'),
  'is signed with another secret': resign(GOOD, (content) => macOf(content, ATTACKER_SECRET)),
  'is signed with the secret and a space': resign(GOOD, (content) => macOf(content, `${TEST_SECRET} `)),
  'has a claim changed after signing': `${HEAD}.${encode({ ...CLAIMS, sub: 'root' })}.${MAC}`,
  'has the signature of another token': `${HEAD}.${BODY}.${make({ ...CLAIMS, sub: 'bob' }).split('.')[2]}`,
  'has a signature cut short': `${HEAD}.${BODY}.${MAC.slice(0, -1)}`,
  'has a signature with one byte more': `${HEAD}.${BODY}.${MAC}AA`,
  'has a signature in another spelling of its bytes': `${HEAD}.${BODY}.${respell(MAC)}`,
  'has a padded signature': `${HEAD}.${BODY}.${MAC}=`,
  'has a padded payload': `${HEAD}.${BODY}=.${MAC}`,
  'has a signature in plain base64': `${HEAD}.${BODY}.${MAC.slice(0, -2)}+/`,
  'has a payload that is no JSON': make('{"sub":'),
  'has a payload that is an array': make([CLAIMS]),
  'has a payload that is null': make('null'),
  'has a payload that is text': make('"ada"'),
  'has no exp': withClaims({ exp: undefined }),
  'has exp as text': withClaims({ exp: String(NOW_S + 60) }),
  'has exp null': withClaims({ exp: null }),
  'has exp true': withClaims({ exp: true }),
  'has a fraction as exp': withClaims({ exp: NOW_S + 60.5 }),
  'has exp in milliseconds': withClaims({ exp: (NOW_S + 60) * 1_000 }),
  'has a negative exp': withClaims({ exp: -NOW_S }),
  'has exp 1e400': withClaimText('exp', '1e400'),
  'has exp 2^53': withClaims({ exp: 2 ** 53 }),
  'has exp beyond what a date holds': withClaims({ exp: 8_640_000_000_001 }),
  'has exp on a prototype': make(`{"sub":"ada","tenant":"acme","__proto__":{"exp":${NOW_S + 60}}}`),
  'has nbf in the future': withClaims({ nbf: NOW_S + 6 }),
  'has nbf as text': withClaims({ nbf: String(NOW_S) }),
  'has nbf 1e400': withClaimText('nbf', '1e400'),
  'has no tenant': withClaims({ tenant: undefined }),
  'has an empty tenant': withClaims({ tenant: '' }),
  'has a tenant of 129 characters': withClaims({ tenant: 'x'.repeat(129) }),
  'has a tenant that is a number': withClaims({ tenant: 7 }),
  'has a tenant that is a list': withClaims({ tenant: ['acme'] }),
  'has a control character in the tenant': withClaims({ tenant: 'ac\u0000me' }),
  'has a newline in the tenant': withClaims({ tenant: 'acme\n' }),
  'has a lone surrogate in the tenant': withClaimText('tenant', String.raw`"\ud800"`),
  'has its tenant on a prototype': make(`{"sub":"ada","exp":${NOW_S + 60},"__proto__":{"tenant":"acme"}}`),
  'has no user': withClaims({ sub: undefined }),
  'has an empty user': withClaims({ sub: '' }),
  'has a user null': withClaims({ sub: null }),
  'has a control character in the user': withClaims({ sub: 'ada\u009f' }),
  'has a lone surrogate in the user': withClaimText('sub', String.raw`"a\udc00"`),
  'has a user too long for a channel name': withClaims({ sub: 'é'.repeat(100) }),
  'has roles that are text': withClaims({ roles: 'admin' }),
  'has roles that are an object': withClaims({ roles: { admin: true } }),
  'has a role that is no text': withClaims({ roles: ['admin', 1] }),
  'has 257 roles': withClaims({ roles: Array.from({ length: 257 }, String) }),
  'has grants that are a list': withClaims({ grants: ['room:1'] }),
  'has grants whose verbs are text': withClaims({ grants: { 'room:1': 'publish' } }),
  'has 257 grants': withClaims({ grants: Object.fromEntries(Array.from({ length: 257 }, (_, at) => [`r:${at}`, []])) }),
}

describe('a token', () => {
  it('names tenant, user, roles, grants and its own end', () => {
    const token = withClaims({ roles: ['staff'], grants: { 'room:1': ['publish'] }, jti: 't1' })
    expect(authenticator.authenticate(token)).toEqual({
      identity: {
        tenant: 'acme',
        user: 'ada',
        roles: ['staff'],
        grants: { 'room:1': ['publish'] },
        expiresAt: (NOW_S + 60) * 1_000,
        tokenId: 't1',
      },
    })
  })

  it.each<[string, string]>([
    ['a header without a type', make(CLAIMS, { alg: 'HS256' })],
    ['a type in small letters', withHeader({ typ: 'jwt' })],
    ['a key id, which is not looked at', withHeader({ kid: 'k1' })],
    ['tenant and user under their other names', make({ org_id: 'acme', user_id: 'ada', exp: NOW_S + 60 })],
    ['nbf within the tolerance', withClaims({ nbf: NOW_S + 5 })],
    ['nbf in the past', withClaims({ nbf: NOW_S - 1 })],
    ['an end within the tolerance', withClaims({ exp: NOW_S - 4 })],
    ['an audience nobody asked for', withClaims({ aud: 'someone', iss: 'somewhere' })],
    ['claims nobody knows', withClaims({ email: 'ada@example.com' })],
  ])('is taken with %s', (_, token) => expect(failureOf(token)).toBeUndefined())

  it.each(Object.entries(WRONG))('is refused when it %s', (_, token) => expect(failureOf(token)).toBe('invalid'))

  it('is refused in more than sixty ways', () => expect(Object.keys(WRONG).length).toBeGreaterThanOrEqual(60))

  it.each([NOW_S - 5, NOW_S - 6, NOW_S - 86_400, 0])('has expired with exp %i', (exp) =>
    expect(failureOf(withClaims({ exp }))).toBe('expired'),
  )

  it('is invalid rather than expired when it is also forged', () =>
    expect(failureOf(resign(withClaims({ exp: 1 }), (content) => macOf(content, ATTACKER_SECRET)))).toBe('invalid'))

  it('is taken at 8192 characters', () => {
    const room = 8_192 - withClaims({ filler: '' }).length
    const token = withClaims({ filler: 'x'.repeat(Math.floor((room * 3) / 4)) })
    expect(token.length).toBeGreaterThan(8_180)
    expect(failureOf(token)).toBeUndefined()
  })

  it('keeps a grant named __proto__ to itself', () => {
    const result = authenticator.authenticate(withClaimText('grants', '{"__proto__":["publish"]}'))
    const { grants } = 'identity' in result ? result.identity : { grants: {} }
    expect(Object.hasOwn(grants, '__proto__')).toBe(true)
    expect(Reflect.get({}, 'publish')).toBeUndefined()
  })
})

describe('a configured claim', () => {
  const issuer = 'https://accounts.example.com'

  it.each<[string, object, Partial<TokenOptions>, string | undefined]>([
    ['the issuer', { iss: issuer }, { issuer }, undefined],
    ['no issuer', {}, { issuer }, 'invalid'],
    ['another issuer', { iss: `${issuer}/` }, { issuer }, 'invalid'],
    ['a list of issuers', { iss: [issuer] }, { issuer }, 'invalid'],
    ['the audience', { aud: 'holdfast' }, { audience: 'holdfast' }, undefined],
    ['the audience among others', { aud: ['web', 'holdfast'] }, { audience: 'holdfast' }, undefined],
    ['no audience', {}, { audience: 'holdfast' }, 'invalid'],
    ['another audience', { aud: 'holdfast2' }, { audience: 'holdfast' }, 'invalid'],
    ['an empty list of audiences', { aud: [] }, { audience: 'holdfast' }, 'invalid'],
    ['an object as audience', { aud: { holdfast: true } }, { audience: 'holdfast' }, 'invalid'],
    ['tenant and user by name', { org: 'acme', uid: 'ada' }, { claims: { tenant: 'org', user: 'uid' } }, undefined],
    ['a tenant under the default name only', {}, { claims: { tenant: 'org' } }, 'invalid'],
    ['a user that every object inherits', {}, { claims: { user: 'constructor' } }, 'invalid'],
  ])('is checked: %s', (_, claims, options, failure) => expect(failureOf(withClaims(claims), options)).toBe(failure))
})

describe('signTokenAt', () => {
  const sign = (claims: Partial<TokenClaims>): string =>
    signTokenAt({ secret: TEST_SECRET, tenant: 'acme', user: 'ada', ...claims }, clock.now())

  it('makes what the authenticator accepts', () => {
    const token = sign({ roles: ['staff'], grants: { 'room:1': ['publish'] }, ttlSeconds: 60, tokenId: 't1' })
    expect(authenticator.authenticate(token)).toEqual({
      identity: {
        tenant: 'acme',
        user: 'ada',
        roles: ['staff'],
        grants: { 'room:1': ['publish'] },
        expiresAt: (NOW_S + 60) * 1_000,
        tokenId: 't1',
      },
    })
  })

  it('lasts an hour unless told otherwise', () =>
    expect(authenticator.authenticate(sign({}))).toMatchObject({ identity: { expiresAt: (NOW_S + 3_600) * 1_000 } }))

  it('carries issuer and audience', () =>
    expect(failureOf(sign({ issuer: 'i', audience: 'a' }), { issuer: 'i', audience: 'a' })).toBeUndefined())

  it.each<[string, Partial<TokenClaims>]>([
    ['an empty tenant', { tenant: '' }],
    ['a tenant with a newline', { tenant: 'a\n' }],
    ['an empty user', { user: '' }],
    ['a user too long', { user: 'é'.repeat(100) }],
    ['a lifetime that is no number', { ttlSeconds: Number.NaN }],
    ['a lifetime without end', { ttlSeconds: Infinity }],
  ])('refuses %s', (_, claims) => expect(() => sign(claims)).toThrow(RangeError))
})
