import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readKeySet } from './jwks-document.js'
import { PUBLIC_ALGORITHMS, type TokenAlgorithm } from './token-algorithm.js'

const jwk = (pair: ReturnType<typeof generateKeyPairSync>, members: object = {}): object => ({
  ...(pair.publicKey as unknown as { export(how: object): object }).export({ format: 'jwk' }),
  ...members,
})

const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 }) as unknown as ReturnType<typeof generateKeyPairSync>
const EC = generateKeyPairSync('ec', { namedCurve: 'P-384' }) as unknown as ReturnType<typeof generateKeyPairSync>
const OKP = generateKeyPairSync('ed25519') as unknown as ReturnType<typeof generateKeyPairSync>

const read = (keys: unknown[], algorithms = PUBLIC_ALGORITHMS): ReturnType<typeof readKeySet> =>
  readKeySet(JSON.stringify({ keys }), algorithms)

/** The algorithms that a set of one key can verify. */
function algorithmsOf(key: object, algorithms = PUBLIC_ALGORITHMS): TokenAlgorithm[] {
  const ring = read([{ ...key, kid: 'k' }], algorithms)
  return PUBLIC_ALGORITHMS.filter((algorithm) => ring.find(algorithm, 'k').length > 0)
}

describe('a key of a set', () => {
  it.each<[string, object, TokenAlgorithm]>([
    ['names its algorithm', jwk(RSA, { alg: 'PS384' }), 'PS384'],
    ['is of RSA', jwk(RSA), 'RS256'],
    ['lies on a curve', jwk(EC), 'ES384'],
    ['is of Ed25519', jwk(OKP), 'EdDSA'],
    ['is for signatures', jwk(OKP, { use: 'sig', key_ops: ['verify'] }), 'EdDSA'],
  ])('that %s is for one algorithm', (_, key, algorithm) => expect(algorithmsOf(key)).toEqual([algorithm]))

  it('without an algorithm is for the first of those that are allowed', () => {
    expect(algorithmsOf(jwk(RSA), ['PS512', 'RS256'])).toEqual(['PS512'])
    expect(() => algorithmsOf(jwk(RSA), ['ES256'])).toThrow('no key that verifies tokens')
    expect(() => algorithmsOf(jwk(RSA, { alg: 'RS256' }), ['RS512'])).toThrow('no key that verifies tokens')
  })

  it.each<[string, object]>([
    ['for encryption', jwk(RSA, { use: 'enc' })],
    ['that signs only', jwk(RSA, { key_ops: ['sign'] })],
    ['of another algorithm', jwk(RSA, { alg: 'RSA-OAEP' })],
    ['for encryption, whose name is none', jwk(RSA, { use: 'enc', kid: 7 })],
    ['of another curve', { kty: 'OKP', crv: 'X25519', x: 'AAAA' }],
    ['of another type', { kty: 'AKP', pub: 'AAAA' }],
    ['that is broken', { kty: 'RSA', n: '!', e: 'AQAB' }],
    ['that is weak', jwk(generateKeyPairSync('rsa', { modulusLength: 1024 }) as unknown as typeof RSA)],
  ])('%s is left out, and others stay', (_, key) => {
    const ring = read([{ kid: 'left-out', ...key }, jwk(OKP, { kid: 'k' })])
    expect(ring.size).toBe(1)
    expect(ring.find('EdDSA', 'k')).toHaveLength(1)
  })
})

describe('a set', () => {
  it.each<[string, unknown[], string]>([
    ['a secret', [jwk(OKP), { kty: 'oct', k: 'AAAA' }], 'a key that is not public'],
    ['a private key', [jwk(OKP, { d: 'AAAA' })], 'a key that is not public'],
    ['one name twice', [jwk(OKP, { kid: 'k' }), jwk(RSA, { kid: 'k' })], 'must not have one kid twice'],
    ['65 keys', Array.from({ length: 65 }, () => jwk(OKP)), 'more than 64 keys'],
    ['what is no key', [jwk(OKP), null], 'a key that is no object'],
    ['no key', [], 'no key that verifies tokens'],
  ])('with %s is refused as a whole', (_, keys, message) => expect(() => read(keys)).toThrow(message))

  it('may have 64 keys', () =>
    expect(read(Array.from({ length: 64 }, (_, at) => jwk(OKP, { kid: `${at}` }))).size).toBe(64))

  it.each(['', 'null', '[]', '"x"', '{}', '{"keys":{}}', '{"__proto__":{"keys":[]}}'])('is not %j', (text) =>
    expect(() => readKeySet(text, PUBLIC_ALGORITHMS)).toThrow('no key set'),
  )
})
