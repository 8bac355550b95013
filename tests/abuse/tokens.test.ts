import { createSecretKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SUBPROTOCOL } from '@holdfast/protocol'
import { type HoldfastOptions, createApiKey, createHoldfast, signChannelToken, signToken } from '@holdfast/server'
import fc from 'fast-check'
import { eventually } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import { Battlefield } from './kit/attack.js'
import { AttackedNode, SECRET } from './kit/attacked-node.js'
import { encodePart, jwkOf, keyPair, keySigner, pemOf, resign, seconds, secretSigner } from './kit/forge.js'
import { KeyHost, answerWith } from './kit/key-host.js'
import { RawSocket } from './kit/raw-socket.js'
import { SECRETS, TokenIssuers } from './kit/token-issuers.js'
import { type WrongTokens, wrongTokens } from './kit/wrong-tokens.js'

/** What a client is told whose token is refused, whatever is wrong with it. */
const REFUSED = {
  messages: [{ type: 'goodbye', code: 1008, message: 'Invalid authentication token', reconnect: 'refresh' }],
  closed: { code: 1008, reason: 'Invalid authentication token' },
}

const issuers = new TokenIssuers()
const API_KEY = createApiKey()
let canary: KeyHost
let host: KeyHost
let node: AttackedNode
let field: Battlefield<AttackedNode>
let wrong: WrongTokens

beforeAll(async () => {
  canary = await KeyHost.start()
  host = await KeyHost.start(issuers.keySet())
  wrong = wrongTokens(issuers, canary.origin)
  const { auth, ...options } = issuers.options(host.url)
  const apiKeys = [{ id: API_KEY.id, hash: API_KEY.hash, tenant: 'acme', grants: {} }]
  node = await AttackedNode.start({ ...options, auth: { ...auth, apiKeys } })
  await eventually('the key set is loaded', () => node.log.of('jwks.refreshed').length > 0)
  field = await Battlefield.on(node)
})

afterAll(async () => {
  await field.leave()
  await node.close()
  await host.close()
  await canary.close()
})

let clients = 0

/** Another address of this machine for each client, so that each has its own lines in the log. */
function nextAddress(): string {
  clients += 1
  return `127.7.${Math.floor(clients / 250)}.${(clients % 250) + 1}`
}

interface Outcome {
  readonly messages: RawSocket['messages']
  readonly closed: RawSocket['closed']
  readonly address: string
}

/** What a client that says hello with a token is told, until it is welcomed or sent away. */
async function outcomeOf(token: string, of: AttackedNode = node): Promise<Outcome> {
  const address = nextAddress()
  const socket = await RawSocket.upgraded({ port: of.port, localAddress: address })
  socket.say({ type: 'hello', token })
  await eventually('an answer', () => socket.closed !== undefined || socket.messages.length > 0 || socket.gone)
  if (socket.messages[0]?.['type'] === 'goodbye') await socket.refused()
  socket.destroy()
  const { messages, closed } = socket
  return { messages, closed, address }
}

/** The user and tenant that a token brings in; undefined when it is refused. */
async function welcomeOf(token: string, of: AttackedNode = node): Promise<object | undefined> {
  const { messages } = await outcomeOf(token, of)
  const [first = {}] = messages
  if (first['type'] !== 'welcome') return undefined
  const { tenant, user, roles } = first
  return { tenant, user, roles }
}

async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>, atOnce = 16): Promise<R[]> {
  const results: R[] = []
  for (let at = 0; at < items.length; at += atOnce)
    results.push(...(await Promise.all(items.slice(at, at + atOnce).map(work))))
  return results
}

/** Shows that each token of a case is refused, with one answer and one line of the log. */
async function showRefused(id: string): Promise<void> {
  const tokens = Object.entries(wrong[id] ?? {}).map(([title, make]) => ({ title, token: make() }))
  expect(tokens.length).toBeGreaterThan(5)
  await field.attack(async () => {
    await inTurn(tokens, async ({ title, token }) => {
      const { messages, closed, address } = await outcomeOf(token)
      expect({ title, messages, closed }).toEqual({ title, ...REFUSED })
      const lines = node.log.of('auth.failed', { address })
      expect({ title, lines }).toMatchObject({ title, lines: [{ audit: true, rule: 'invalid' }] })
      expect({ title, lines }).toMatchObject({ lines: [{ reason: expect.stringMatching(/^[a-z ,]{5,60}$/) }] })
    })
  })
  const shown = tokens.flatMap(({ token }) => token.split('.')).filter((part) => part.length > 20)
  expect(shown.filter((part) => node.log.text.includes(part))).toEqual([])
}

describe('a wrong token', () => {
  it('T-050 is refused when it asks for no algorithm, or for one that there is not', () => showRefused('T-050'))

  it('T-051 is refused when it asks for another algorithm than that of the key', () => showRefused('T-051'))

  it('T-052 is refused when it brings its key along, or says where it is', () => showRefused('T-052'))

  it('T-053 is refused when it names a key in a way that leads elsewhere', () => showRefused('T-053'))

  it('T-054 is refused when its header asks for something special, or it is of another kind', () =>
    showRefused('T-054'))

  it('T-055 is refused when it is of another issuer or for another tenant than its key', () => showRefused('T-055'))

  it('T-056 is refused when its claims hold addresses', () => showRefused('T-056'))

  it('T-058 is refused when it looks like another one that is good', async () => {
    await field.attack(async () => {
      const good = issuers.plain({ sub: 'ada', iat: seconds(-1) })
      expect(await welcomeOf(good)).toMatchObject({ user: 'ada' })
    })
    await showRefused('T-058')
  })

  it('T-059 is refused when it is encrypted, packed, or spelled in another way', () => showRefused('T-059'))

  it('T-060 is refused when its times are not as they have to be', () => showRefused('T-060'))

  it('T-063 is refused when it is for another service, or for nobody', () => showRefused('T-063'))

  it('T-052, T-056 makes the server ask nobody: a host that listens for it hears nothing, and the key set is fetched no more often', () => {
    expect(canary.connections).toBe(0)
    expect(host.requests.length).toBeLessThanOrEqual(2)
    expect(new Set(host.requests)).toEqual(new Set(['GET /keys']))
  })

  it('is there in more than 150 kinds', () => {
    expect(Object.values(wrong).flatMap((tokens) => Object.keys(tokens)).length).toBeGreaterThan(200)
  })

  it('T-059 of 9 to 15 KB is refused before it is decoded, whatever it holds', async () => {
    await field.attack(async () => {
      for (const size of [8_193, 9_000, 15_000]) {
        const long = issuers.plain({ filler: 'x'.repeat(size) })
        const token = size === 15_000 ? '.'.repeat(size) : long.slice(0, size)
        const headers = { Authorization: `Bearer ${token}`, 'Sec-WebSocket-Protocol': SUBPROTOCOL }
        const socket = await RawSocket.upgraded(node, headers)
        socket.say({ type: 'hello' })
        expect(await socket.refused()).toEqual(REFUSED.closed)
        socket.destroy()
      }
    })
  })

  it('T-058 is never made of a good one by changing any character of it', async () => {
    const good = [
      issuers.plain(),
      issuers.rsa(),
      issuers.curve('ES256', issuers.es256, { kid: 'e256' }),
      issuers.strict(),
    ]
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ '
    const mutation = fc.record({
      token: fc.constantFrom(...good),
      edits: fc.array(
        fc.record({
          at: fc.nat(8_192),
          kind: fc.constantFrom('replace', 'insert', 'remove', 'double'),
          letter: fc.constantFrom(...letters.split('')),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    })
    const mutate = ({
      token,
      edits,
    }: {
      token: string
      edits: readonly { at: number; kind: string; letter: string }[]
    }): string =>
      edits.reduce((text, { at, kind, letter }) => {
        const place = at % text.length
        const [before, after] = [text.slice(0, place), text.slice(place)]
        if (kind === 'insert') return `${before}${letter}${after}`
        if (kind === 'double') return `${before}${after.slice(0, 1)}${after}`
        return `${before}${kind === 'remove' ? '' : letter}${after.slice(1)}`
      }, token)
    await field.attack(() =>
      fc.assert(
        fc.asyncProperty(mutation, async (how) => {
          const token = mutate(how)
          fc.pre(!good.includes(token))
          const { messages, closed } = await outcomeOf(token)
          expect({ messages, closed }).toEqual(REFUSED)
        }),
        { numRuns: 300 },
      ),
    )
  }, 60_000)
})

describe('a right token', () => {
  /** By title: the token, and what its bearer is told to be. */
  const right = (): Record<string, [token: string, welcome: object]> => {
    const mallory = { tenant: 'acme', user: 'mallory', roles: [] }
    const { rs256, ps256, es256, es384, es512, eddsa } = issuers
    return {
      'without a type': [issuers.plain({}, { typ: undefined }), mallory],
      'with a type in small letters': [issuers.plain({}, { typ: 'jwt' }), mallory],
      'with a type as a media type': [issuers.plain({}, { typ: 'application/jwt' }), mallory],
      'with a kid where keys have no names': [issuers.plain({}, { kid: 'k1' }), mallory],
      'with members that nobody knows': [issuers.plain({ email: 'a@b.c' }, { x5t: 'thumb', cty: 'x' }), mallory],
      'with tenant and user under their other names': [
        issuers.plain({ tenant: undefined, sub: undefined, org_id: 'acme', user_id: 'mallory' }),
        mallory,
      ],
      'with roles': [issuers.plain({ roles: ['staff'] }), { ...mallory, roles: ['staff'] }],
      'with 256 grants': [
        issuers.plain({ grants: Object.fromEntries(Array.from({ length: 256 }, (_, at) => [`r:${at}`, []])) }),
        mallory,
      ],
      'with letters of any script': [
        issuers.plain({ sub: 'Ünï', tenant: '會社' }),
        { tenant: '會社', user: 'Ünï', roles: [] },
      ],
      'whose beginning lies within the tolerance': [issuers.plain({ nbf: seconds(4) }), mallory],
      'that was issued within the tolerance': [issuers.plain({ iat: seconds(4) }), mallory],
      'that has ended within the tolerance': [issuers.plain({ exp: seconds(-2), iat: seconds(-60) }), mallory],
      'that is good for a day': [issuers.plain({ iat: seconds(-60), exp: seconds(86_400 - 120) }), mallory],
      'with an audience that nobody asked for': [issuers.plain({ aud: 'someone' }), mallory],
      'of an issuer without a name, who names one': [issuers.plain({ iss: 'somewhere' }), mallory],
      'of signToken': [node.token('ada'), { tenant: 'acme', user: 'ada', roles: [] }],
      'of the secret of a tenant': [
        signToken({ secret: SECRETS.red, tenant: 'red', user: 'ada' }),
        { tenant: 'red', user: 'ada', roles: [] },
      ],
      'of the secret of another tenant': [
        signToken({ secret: SECRETS.blue, tenant: 'blue', user: 'ada' }),
        { tenant: 'blue', user: 'ada', roles: [] },
      ],
      'of RS256': [issuers.rsa(), mallory],
      'of RS256 without a kid': [issuers.rsa({}, { kid: undefined }), mallory],
      'of RS256 for several services': [issuers.rsa({ aud: ['web', 'holdfast'] }), mallory],
      'of RS256 for the tenant of its issuer, which it leaves out': [issuers.rsa({ tenant: undefined }), mallory],
      'of PS256': [issuers.rsa({}, { alg: 'PS256', kid: 'p1' }, keySigner('PS256', ps256.privateKey)), mallory],
      'of RS256 again, with another user': [
        issuers.rsa({ sub: 'bob' }, {}, keySigner('RS256', rs256.privateKey)),
        { ...mallory, user: 'bob' },
      ],
      'of ES256': [issuers.curve('ES256', es256, { kid: 'e256' }), mallory],
      'of ES384': [issuers.curve('ES384', es384, { kid: 'e384' }), mallory],
      'of ES512': [issuers.curve('ES512', es512, { kid: 'e512' }), mallory],
      'of ES512 without a kid': [issuers.curve('ES512', es512), mallory],
      'of EdDSA': [issuers.curve('EdDSA', eddsa), mallory],
      'of EdDSA for the second tenant of its issuer': [
        issuers.curve('EdDSA', eddsa, {}, { tenant: 'green' }),
        { ...mallory, tenant: 'green' },
      ],
      'of HS384': [issuers.secret({ alg: 'HS384', kid: 'h384' }, secretSigner(SECRETS.hs384, 384)), mallory],
      'of HS512': [issuers.secret({ alg: 'HS512', kid: 'h512' }, secretSigner(SECRETS.hs512, 512)), mallory],
      'of the old one of two secrets': [issuers.secret({ kid: 'old' }, secretSigner(SECRETS.old)), mallory],
      'of the new one of two secrets': [issuers.secret({ kid: 'new' }, secretSigner(`${SECRETS.old}2`)), mallory],
      'of the new one of two secrets, which it does not name': [
        issuers.secret({}, secretSigner(`${SECRETS.old}2`)),
        mallory,
      ],
      'with claims of other names and another type': [issuers.strict(), { ...mallory, roles: ['staff'] }],
      'for the second of two services': [issuers.strict({ aud: 'holdfast-eu' }), { ...mallory, roles: ['staff'] }],
      'with its type as a media type': [
        issuers.strict({}, { typ: 'application/AT+JWT' }),
        { ...mallory, roles: ['staff'] },
      ],
      'of a published key': [issuers.fromKeySet(), mallory],
      'of a published key that it does not name': [issuers.fromKeySet({ kid: undefined }), mallory],
      'of 8 KB': [issuers.plain({ filler: 'x'.repeat(5_900) }), mallory],
    }
  }

  it('is taken in more than thirty kinds, and brings in whom it names', async () => {
    const tokens = Object.entries(right())
    expect(tokens.length).toBeGreaterThan(30)
    await field.attack(async () => {
      await inTurn(tokens, async ([title, [token, welcome]]) => {
        expect({ title, welcome: await welcomeOf(token) }).toEqual({ title, welcome })
      })
    })
  })

  it('T-060 is told apart from one that has ended by a second more than the tolerance, and that alone has another answer', async () => {
    await field.attack(async () => {
      const expired = { code: 1008, reason: 'Authentication token expired' }
      expect(await outcomeOf(issuers.plain({ exp: seconds(-6) }))).toMatchObject({ closed: expired })
      expect(await outcomeOf(issuers.plain({ exp: 0 }))).toMatchObject({ closed: expired })
      const forged = resign(issuers.plain({ exp: seconds(-6) }), secretSigner('attacker'))
      expect(await outcomeOf(forged)).toMatchObject({ closed: REFUSED.closed })
    })
  })

  it('T-058 is for whom it names, however many alike come at once', async () => {
    const names = Array.from({ length: 100 }, (_, at) => `user-${at}`)
    const iat = seconds(-1)
    await field.attack(async () => {
      const users = await inTurn(names, (sub) => welcomeOf(issuers.plain({ sub, iat, jti: `id-${sub}` })), 25)
      expect(users).toEqual(names.map((user) => ({ tenant: 'acme', user, roles: [] })))
    })
  })
})

describe('a credential of one kind', () => {
  it('T-063 opens nothing as one of another kind', async () => {
    const { key } = API_KEY
    const channelToken = signChannelToken({ secret: SECRET, tenant: 'acme', user: 'mallory', channel: 'room:1' })
    await field.attack(async () => {
      expect(await welcomeOf(key)).toMatchObject({ tenant: 'acme' })
      const signed = issuers.plain({}, { kid: API_KEY.id })
      const asSecret = resign(signed, secretSigner(key))
      for (const token of [
        channelToken,
        `${key}.e30.AAAA`,
        key.slice(0, -1),
        `Bearer ${key}`,
        API_KEY.hash,
        asSecret,
        SECRET,
      ])
        expect(await outcomeOf(token)).toMatchObject(REFUSED)
    })
  })
})

describe('a key set', () => {
  const good = issuers.keySet()

  /** A node that believes one host, and nobody else but its own secret. */
  async function believing(keySet: KeyHost, environment = 'development'): Promise<AttackedNode> {
    return AttackedNode.start({
      environment,
      auth: {
        secret: SECRET,
        tenant: '*',
        issuers: [{ issuer: 'https://published.test', tenant: 'acme', jwks: { url: keySet.url } }],
      },
      limits: { failedAuthenticationsPerMinuteMax: 1_000_000 },
    })
  }

  const BAD: Record<string, Parameters<typeof KeyHost.start>[0]> = {
    'of 10 MB': answerWith(`{"keys":[],"x":"${'x'.repeat(10_000_000)}"}`),
    'of 262,145 bytes': answerWith(`${JSON.stringify(good).slice(0, -1)},"x":"${'x'.repeat(262_145)}"}`),
    'of 10,000 keys': answerWith({ keys: Array.from({ length: 10_000 }, (_, at) => ({ kty: 'RSA', kid: `${at}` })) }),
    'of 65 keys': answerWith({
      keys: Array.from({ length: 65 }, (_, at) => jwkOf(issuers.published, { kid: `k${at}` })),
    }),
    'that is no JSON': answerWith('<html>'),
    'that is a list': answerWith([good]),
    'without keys': answerWith({}),
    'with keys on a prototype': answerWith(`{"__proto__":${JSON.stringify(good)}}`),
    'of no key': answerWith({ keys: [] }),
    'with a key that is text': answerWith({ keys: [...good.keys, 'key'] }),
    'with a secret': answerWith({ keys: [...good.keys, { kty: 'oct', k: encodePart(SECRET), kid: 's' }] }),
    'with a private key': answerWith({
      keys: [{ ...issuers.published.privateKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256' }],
    }),
    'with one name twice': answerWith({ keys: [...good.keys, jwkOf(issuers.foreign, { kid: 'k1', alg: 'RS256' })] }),
    'with a name that is a number': answerWith({ keys: [jwkOf(issuers.published, { kid: 1 })] }),
    'of a key of 1024 bits': answerWith({ keys: [jwkOf(keyPair('RS256', 1_024), { kid: 'k1' })] }),
    'of a key with the exponent 1': answerWith({ keys: [jwkOf(issuers.published, { kid: 'k1', e: 'AQ' })] }),
    'of a key for encryption': answerWith({ keys: [jwkOf(issuers.published, { kid: 'k1', use: 'enc' })] }),
    'of a key that must not verify': answerWith({
      keys: [jwkOf(issuers.published, { kid: 'k1', key_ops: ['encrypt'] })],
    }),
    'of a key for an algorithm of secrets': answerWith({
      keys: [jwkOf(issuers.published, { kid: 'k1', alg: 'HS256' })],
    }),
    'of a key for no algorithm': answerWith({ keys: [jwkOf(issuers.published, { kid: 'k1', alg: 'none' })] }),
    'of an unknown type': answerWith({ keys: [{ kty: 'AKP', kid: 'k1', pub: 'AA' }] }),
    'behind 404': answerWith(good, 404),
    'behind 500': answerWith(good, 500),
    'behind 203': answerWith(good, 203),
    'behind an answer that is packed': (_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(Buffer.from('1f8b0800', 'hex')),
    'behind a connection that ends': (request) => request.socket.destroy(),
  }

  it('T-057, T-091 that is too long, wrong, or holds what it must not is refused, and its tokens for the time being', async () => {
    await field.attack(async () => {
      const outcomes = await inTurn(
        Object.entries(BAD),
        async ([title, answer]) => {
          const bad = await KeyHost.start(answer)
          const believer = await believing(bad)
          const { closed } = await outcomeOf(issuers.fromKeySet(), believer)
          const own = await welcomeOf(believer.token('ada'), believer)
          const [line] = believer.log.of('jwks.failed')
          await believer.close()
          await bad.close()
          return { title, closed, own, isLogged: line !== undefined, asked: bad.requests.length }
        },
        4,
      )
      const ada = { tenant: 'acme', user: 'ada', roles: [] }
      const busy = { code: 1013, reason: 'Server busy' }
      expect(outcomes).toEqual(
        Object.keys(BAD).map((title) => ({ title, closed: busy, own: ada, isLogged: true, asked: 1 })),
      )
    })
  }, 60_000)

  it('T-057, T-091 behind a redirect, or from a host that takes its time, is not waited for nor followed', async () => {
    const elsewhere = await KeyHost.start(good)
    const redirecting = await KeyHost.start((_, response) => response.writeHead(302, { location: elsewhere.url }).end())
    const slow = await KeyHost.start((_, response) => {
      const timer = setInterval(() => response.write(' '), 100)
      response.on('close', () => clearInterval(timer))
    })
    await field.attack(async () => {
      for (const bad of [redirecting, slow]) {
        const believer = await believing(bad)
        const began = machineTime()
        const { closed } = await outcomeOf(issuers.fromKeySet(), believer)
        expect(closed).toEqual({ code: 1013, reason: 'Server busy' })
        expect(machineTime() - began).toBeLessThan(4_500)
        await believer.close()
      }
    })
    expect(elsewhere.connections).toBe(0)
    await Promise.all([elsewhere, redirecting, slow].map((one) => one.close()))
  }, 20_000)

  it('T-057 is fetched once, however many tokens with unknown keys come, and known keys go on working when it is broken then', async () => {
    const keySet = await KeyHost.start(good)
    const believer = await believing(keySet)
    await eventually('the set is loaded', () => believer.log.of('jwks.refreshed').length > 0)
    keySet.answer = answerWith('broken', 500)
    await field.attack(async () => {
      const tokens = Array.from({ length: 500 }, (_, at) => issuers.fromKeySet({ kid: `unknown-${at}` }))
      const outcomes = await inTurn(tokens, (token) => outcomeOf(token, believer), 50)
      expect(outcomes.every(({ closed }) => closed?.reason === REFUSED.closed.reason)).toBe(true)
      expect(keySet.requests).toHaveLength(1)
      expect(await welcomeOf(issuers.fromKeySet(), believer)).toMatchObject({ user: 'mallory' })
      await believer.close()
    })
    await keySet.close()
  }, 30_000)
})

describe('options that would let anybody in', () => {
  const pem = pemOf(issuers.rs256)
  const start = (auth: object, environment = 'production', more: object = {}): void =>
    void createHoldfast({ auth, environment, ...more } as unknown as HoldfastOptions)

  const REFUSED_OPTIONS: Record<string, [auth: object, message: string]> = {
    'no key at all': [{}, 'auth must be an object with secret'],
    'a secret of 31 bytes': [{ secret: SECRET.slice(0, 31) }, 'auth.secret must be at least 32 bytes, received 31'],
    'a secret that is empty': [{ secret: '' }, 'auth.secret must be at least 32 bytes'],
    'a secret that everybody knows': [{ secret: 'your-256-bit-secret-goes-here-ok' }, 'must not be a known'],
    'a secret too short for its hash': [
      { secret: SECRET, algorithm: 'HS512' },
      'auth.secret must be at least 64 bytes',
    ],
    'the algorithm none': [{ keys: [{ algorithm: 'none', key: pem }] }, 'auth.keys.0.algorithm must be one of'],
    'the algorithm none for a secret': [{ secret: SECRET, algorithm: 'none' }, 'auth.algorithm must be HS256'],
    'the algorithm none among those of a key set': [
      { jwks: { url: 'https://keys.test/', algorithms: ['RS256', 'none'] } },
      'auth.jwks.algorithms.1 must be one of',
    ],
    'a secret algorithm among those of a key set': [
      { jwks: { url: 'https://keys.test/', algorithms: ['HS256'] } },
      'auth.jwks.algorithms.0 must be one of',
    ],
    'a public key as secret': [{ keys: [{ algorithm: 'HS256', key: pem }] }, 'auth.keys.0.key must be a secret'],
    'a private key': [
      { keys: [{ algorithm: 'RS256', key: issuers.rs256.privateKey.export({ type: 'pkcs8', format: 'pem' }) }] },
      'auth.keys.0.key must be a public key, received a private one',
    ],
    'a secret as a public key': [
      { keys: [{ algorithm: 'RS256', key: createSecretKey(Buffer.alloc(64)).export({ format: 'jwk' }) }] },
      'auth.keys.0.key must have a kty of RSA, EC or OKP',
    ],
    'an RSA key of 1024 bits': [
      { keys: [{ algorithm: 'RS256', key: pemOf(keyPair('RS256', 1_024)) }] },
      'auth.keys.0.key must have 2048 to 8192 bits, received 1024',
    ],
    'an RSA key with the exponent 1': [
      { keys: [{ algorithm: 'RS256', key: jwkOf(issuers.rs256, { e: 'AQ' }) }] },
      'auth.keys.0.key must have an odd exponent',
    ],
    'a key on the wrong curve': [
      { keys: [{ algorithm: 'ES256', key: jwkOf(issuers.es384) }] },
      'auth.keys.0.key must be on the curve P-256 for ES256',
    ],
    'a key of the wrong type': [
      { keys: [{ algorithm: 'ES256', key: pem }] },
      'auth.keys.0.key must be a key for ES256, received one of type rsa',
    ],
    'a key set over http': [{ jwks: { url: 'http://keys.test/' } }, 'auth.jwks.url must be an address with https'],
    'a key set on this machine over http': [{ jwks: { url: 'http://127.0.0.1/' } }, 'must be an address with https'],
    'a key set in a file': [{ jwks: { url: 'file:///etc/keys.json' } }, 'must be an address with https'],
    'a key set behind a password': [{ jwks: { url: 'https://a:b@keys.test/' } }, 'without credentials'],
    'a tolerance of more than a minute': [
      { secret: SECRET, clockToleranceMs: 60_001 },
      'auth.clockToleranceMs must be an integer from 0 to 60000',
    ],
    'two issuers of which one does not say for whom': [
      { secret: SECRET, issuers: [{ issuer: 'i', secret: SECRETS.red, tenant: 'red' }] },
      'auth.tenant must say in production',
    ],
    'two issuers of one name': [
      { secret: SECRET, issuer: 'i', tenant: '*', issuers: [{ issuer: 'i', secret: SECRETS.red, tenant: 'red' }] },
      'auth.issuers must not hold the issuer "i" twice',
    ],
    'two issuers without a name for any tenant': [
      { secret: SECRET, tenant: '*', issuers: [{ secret: SECRETS.red, tenant: '*' }] },
      'auth.issuers must not hold two issuers without a name',
    ],
    'two issuers without a name for one tenant': [
      { secret: SECRET, tenant: 'a', issuers: [{ secret: SECRETS.red, tenant: ['b', 'a'] }] },
      'two issuers without a name for the tenant "a"',
    ],
  }

  it.each(Object.entries(REFUSED_OPTIONS))('T-069 keep a node from starting: %s', (_, [auth, message]) => {
    expect(() => start(auth)).toThrow(message)
  })

  it('T-069 keep a node from starting in an environment of any name but development, and are not repeated', () => {
    for (const environment of ['production', 'staging', 'prod', 'Development'])
      expect(() => start({ jwks: { url: 'http://127.0.0.1/' } }, environment)).toThrow('must be an address with https')
    const secret = 'my-short-canary'
    expect(() => start({ secret })).toThrow(expect.not.stringContaining('canary'))
    expect(() => start({ keys: [{ algorithm: 'HS256', key: secret }] })).toThrow(expect.not.stringContaining('canary'))
  })

  it('T-069 may not stand in the options of a tenant either', () => {
    const believe = (auth: object): void =>
      start({ secret: SECRET, tenant: '*' }, 'production', { tenants: { red: { auth } } })
    expect(() => believe({ secret: 'short' })).toThrow('tenants.red.auth.secret must be at least 32 bytes')
    expect(() => believe({ secret: SECRETS.red, tenant: 'blue' })).toThrow(
      'tenants.red.auth.tenant must be the tenant itself',
    )
    expect(() => believe({ secret: SECRETS.red })).not.toThrow()
  })
})

describe('clients without a credential', () => {
  it('are refused unless the options say what they may do, and are somebody else each time then', async () => {
    const open = await AttackedNode.start({
      auth: { secret: SECRET, anonymous: { tenant: 'lobby', grants: { 'room:news': ['subscribe'] } } },
    })
    const hello = async (of: AttackedNode): Promise<RawSocket> => {
      const socket = await RawSocket.upgraded(of)
      socket.say({ type: 'hello' })
      await eventually('an answer', () => socket.messages.length > 0)
      return socket
    }
    await field.attack(async () => {
      const refused = await hello(node)
      expect(await refused.refused()).toEqual({ code: 1008, reason: 'Authentication required' })
      refused.destroy()
      const sockets = [await hello(open), await hello(open)]
      const users = sockets.map(({ messages }) => messages[0])
      expect(users).toMatchObject([
        { type: 'welcome', tenant: 'lobby', user: expect.stringMatching(/^anonymous-[\w-]{22}$/), roles: [] },
        { type: 'welcome', tenant: 'lobby', user: expect.stringMatching(/^anonymous-[\w-]{22}$/), roles: [] },
      ])
      expect(users[0]?.['user']).not.toBe(users[1]?.['user'])
      const wrongOne = await RawSocket.upgraded(open)
      wrongOne.say({ type: 'hello', token: 'a.b.c' })
      expect(await wrongOne.refused()).toEqual(REFUSED.closed)
      for (const socket of [...sockets, wrongOne]) socket.destroy()
      await open.close()
    })
  })
})
