import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Configuration, loadConfiguration } from './configuration.js'
import { findSecret, requireSecret, weaknessOf } from './secret.js'

let cwd: string

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'holdfast-secret-'))
})

afterEach(() => rm(cwd, { recursive: true, force: true }))

const configured = (env: Record<string, string>): Promise<Configuration> => loadConfiguration({ env })

describe('the secret in development', () => {
  it('is made once, kept for its owner alone, and found again', async () => {
    const configuration = await configured({})
    const first = await findSecret(configuration, cwd)
    const second = await findSecret(configuration, cwd)
    expect(first).toMatchObject({ made: true, file: '.holdfast/secret' })
    expect(second).toEqual({ ...first, made: false })
    expect((await stat(join(cwd, '.holdfast/secret'))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(cwd, '.holdfast/.gitignore'), 'utf8')).toBe('*\n')
  })

  it('is the same for commands that start at the same time', async () => {
    const configuration = await configured({ HOLDFAST_DATA_DIR: 'data' })
    const found = await Promise.all(Array.from({ length: 8 }, () => findSecret(configuration, cwd)))
    expect(new Set(found.map(({ secret }) => secret)).size).toBe(1)
    expect(found.filter(({ made }) => made)).toHaveLength(1)
    expect((await readdir(join(cwd, 'data'))).sort()).toEqual(['.gitignore', 'secret'])
  })

  it('is refused when it is too short', async () => {
    await expect(findSecret(await configured({ HOLDFAST_SECRET: 'short' }), cwd)).rejects.toThrow(
      'HOLDFAST_SECRET must be at least 32 bytes, received 5',
    )
  })
})

describe.each(['staging', 'production'])('the secret in %s', (environment) => {
  it('must be set', async () => {
    await expect(findSecret(await configured({ HOLDFAST_ENV: environment }), cwd)).rejects.toThrow(
      `HOLDFAST_SECRET must be set in ${environment}`,
    )
    expect(await readdir(cwd)).toEqual([])
  })

  it.each<[string, Partial<Configuration>]>([
    ['a key set', { auth: { jwks: { url: 'https://accounts.test/keys' } } }],
    ['keys', { auth: { keys: [{ algorithm: 'EdDSA', key: 'pem' }] } }],
    ['issuers', { auth: { issuers: [{ issuer: 'https://accounts.test' }] } }],
    ['API keys', { auth: { apiKeys: [{ id: 'a' }] } }],
    ['keys of a tenant', { tenants: { acme: { auth: { keys: [] } } } }],
  ])('may be left out beside %s, and then there is none', async (_, named) => {
    const configuration = { ...(await configured({ HOLDFAST_ENV: environment })), ...named }
    expect(await findSecret(configuration, cwd)).toEqual({ secret: undefined, file: undefined, made: false })
    await expect(requireSecret(configuration, cwd)).rejects.toThrow('tokens cannot be made here')
    expect(await readdir(cwd)).toEqual([])
  })

  it.each<[string, Partial<Configuration>]>([
    ['lists without keys', { auth: { keys: [], issuers: [], apiKeys: [] } }],
    ['what anybody may', { auth: { anonymous: { tenant: 'lobby', grants: {} } } }],
    ['a tenant without keys', { tenants: { acme: { plan: 'free' } } }],
  ])('must be set beside %s', async (_, named) => {
    const configuration = { ...(await configured({ HOLDFAST_ENV: environment })), ...named }
    await expect(findSecret(configuration, cwd)).rejects.toThrow('HOLDFAST_SECRET must be set')
  })

  it('must not be well known', async () => {
    const weak = await configured({
      HOLDFAST_ENV: environment,
      HOLDFAST_SECRET: 'a-string-secret-at-least-256-bits-long',
    })
    await expect(findSecret(weak, cwd)).rejects.toThrow('must not be a well-known or repeated text')
  })
})

describe('a weak secret', () => {
  it.each([
    'x'.repeat(64),
    'abcabcabcabcabcabcabcabcabcabcabcabc',
    'changeme-changeme-changeme-changeme',
    'my-super-secret-production-jwt-key-please-change-me',
    '0123456789abcdef0123456789abcdef',
  ])('is recognised: %s', (secret) => {
    expect(weaknessOf(secret, true)).toBe('must not be a well-known or repeated text')
  })

  it('is not one that was drawn at random', () => {
    expect(weaknessOf('kT9v3Qz1rW8uYb5nXe2sLd7fHj4gMp6aCw0iOqRtEyU', true)).toBeUndefined()
  })
})
