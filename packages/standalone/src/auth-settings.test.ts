import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { generateKeyPairSync } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHoldfast } from '@holdfast/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { completeAuth } from './auth-settings.js'
import { loadConfiguration } from './configuration.js'
import { createTokenMint } from './token-mint.js'

let folder: string
let pem: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'auth-'))
  pem = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }) as string
  writeFileSync(join(folder, 'key.pem'), pem)
})

afterAll(() => rmSync(folder, { recursive: true }))

/** The configuration of a file of this text, and of variables. */
function load(yaml: string, env: NodeJS.ProcessEnv = {}): ReturnType<typeof loadConfiguration> {
  const file = join(folder, 'holdfast.yaml')
  writeFileSync(file, yaml)
  return loadConfiguration({ env, file })
}

describe('auth in the configuration', () => {
  it('reads keys from files, those of other issuers, too', async () => {
    const key = { algorithm: 'EdDSA', file: join(folder, 'key.pem'), kid: 'k' }
    const given = { algorithm: 'EdDSA', key: pem }
    const { keys, issuers } = await completeAuth({ keys: [key, given], issuers: [{ issuer: 'i', keys: [key] }] }, {})
    const read = { algorithm: 'EdDSA', key: pem, kid: 'k' }
    expect(keys).toEqual([read, given])
    expect(issuers).toEqual([{ issuer: 'i', keys: [read] }])
  })

  it('names a file that cannot be read', async () => {
    const missing = completeAuth({ keys: [{ algorithm: 'EdDSA', file: join(folder, 'none.pem') }] }, {})
    await expect(missing).rejects.toThrow('auth.keys.0.file must be a file that can be read')
    await expect(completeAuth({ issuers: [{ keys: [{ file: 7 }] }] }, {})).rejects.toThrow(
      'auth.issuers.0.keys.0.file must be the path of a file',
    )
  })

  it('takes addresses and names from variables, in the place of those in the file', async () => {
    const { auth } = await load('auth: { issuer: a, jwks: { url: "https://a.test/", refresh: 5m } }', {
      HOLDFAST_JWKS_URL: 'https://b.test/keys',
      HOLDFAST_ISSUER: 'https://b.test/',
      HOLDFAST_AUDIENCE: 'holdfast',
    })
    expect(auth).toEqual({
      issuer: 'https://b.test/',
      audience: 'holdfast',
      jwks: { url: 'https://b.test/keys', refresh: '5m' },
    })
  })

  it('takes all that the server takes', async () => {
    const { auth } = await load(`
auth:
  issuer: https://accounts.test
  audience: [holdfast, holdfast-eu]
  tenant: '*'
  claims: { tenant: org, roles: groups }
  algorithm: HS512
  maxLifetime: 1h
  clockToleranceMs: 1000
  keys: [{ algorithm: EdDSA, file: ${join(folder, 'key.pem')} }]
  issuers: [{ issuer: https://other.test, tenant: acme, jwks: { url: https://other.test/keys } }]
  anonymous: { tenant: lobby, grants: { 'news:*': [subscribe] } }
`)
    const options = { auth: { secret: 'q7'.repeat(16).concat('Zk3'.repeat(16)), ...auth } }
    expect(() => createHoldfast(options as unknown as Parameters<typeof createHoldfast>[0])).not.toThrow()
  })

  it('does not repeat a key in an error', async () => {
    const wrong = load('auth: { keys: my-secret-key }')
    await expect(wrong).rejects.toThrow('auth.keys')
    await expect(wrong).rejects.not.toThrow('my-secret-key')
  })
})

describe('a token made here', () => {
  const bearer = { tenant: 'acme', user: 'ada', ttlSeconds: 60 }
  const secret = 'q7'.repeat(40)

  it('is signed as the configuration asks, for the first of its audiences', () => {
    const [head, body] = createTokenMint(secret, { algorithm: 'HS384', audience: ['a', 'b'] })(bearer).split('.')
    const read = (part = ''): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
    expect([read(head), read(body)]).toMatchObject([{ alg: 'HS384' }, { aud: 'a' }])
  })

  it('cannot be of a type of its own', () =>
    expect(() => createTokenMint(secret, { type: 'at+jwt' })(bearer)).toThrow('auth.type'))
})
