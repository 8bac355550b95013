import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Holdfast } from '@holdfast/client'
import { createApiKey, signToken } from '@holdfast/server'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from './clock.js'
import { loadConfiguration } from './configuration.js'
import { findSecret } from './secret.js'
import { createLog } from './log.js'
import { type Standalone, type StandaloneParts, startStandalone } from './standalone-server.js'

const SECRET = 'kT9v3Qz1rW8uYb5nXe2sLd7fHj4gMp6aCw0iOqRtEyU'
const started: Standalone[] = []

async function start(env: Record<string, string> = {}, file?: string): Promise<Standalone> {
  const configuration = await loadConfiguration({ env: { PORT: '0', ...env }, file })
  return startFrom({ configuration, secret: SECRET })
}

async function startFrom(parts: Pick<StandaloneParts, 'configuration' | 'secret'>): Promise<Standalone> {
  const log = createLog({ level: 'silent', format: 'json' }, { write: () => true })
  const standalone = await startStandalone({ ...parts, log, cwd: process.cwd(), clock: systemClock })
  started.push(standalone)
  return standalone
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((standalone) => standalone.drain()))
})

function askToken(url: string, init: { body?: string; headers?: Record<string, string> } = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...init.headers }
  return fetch(`${url}/demo/token`, { method: 'POST', body: '{"user":"ada"}', ...init, headers })
}

describe('standalone server', () => {
  it('answers that it lives and is ready', async () => {
    const { url } = await start()
    expect((await fetch(`${url}/health/live`)).status).toBe(200)
    const ready = await fetch(`${url}/health/ready`)
    expect(ready.status).toBe(200)
    expect(await ready.json()).toEqual({ status: 'ready', engine: 'memory' })
  })

  it('serves the demo in development and nowhere else', async () => {
    const development = await start()
    expect(await (await fetch(development.url)).text()).toContain('<title>Holdfast demo</title>')
    const production = await start({ HOLDFAST_ENV: 'production' })
    expect((await fetch(production.url)).status).toBe(404)
    expect((await askToken(production.url)).status).toBe(404)
  })

  it('tells who asks for the address of the WebSocket without one that it takes WebSockets', async () => {
    const { url } = await start()
    const answer = await fetch(`${url}/ws`)
    expect(answer.status).toBe(426)
    expect(answer.headers.get('upgrade')).toBe('websocket')
  })

  it('lets a server in with a key of its file, whose hash is all that stands there', async () => {
    const { id, key, hash } = createApiKey()
    const file = join(await mkdtemp(join(tmpdir(), 'holdfast-keys-')), 'holdfast.yaml')
    const grants = { 'room:*': ['publish'] }
    await writeFile(file, JSON.stringify({ auth: { apiKeys: [{ id, hash, tenant: 'acme', grants }] } }))
    const { webSocketUrl } = await start({}, file)
    const client = new Holdfast(webSocketUrl, { token: key })
    await client.ready()
    expect(client.identity).toMatchObject({ tenant: 'acme', user: `key:${id}` })
    client.disconnect()
    await rm(dirname(file), { recursive: true })
  })

  it('believes nobody but the keys of its file in production, and needs no secret', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-keys-'))
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const pem = publicKey.export({ type: 'spki', format: 'pem' })
    const file = join(directory, 'holdfast.yaml')
    await writeFile(file, JSON.stringify({ auth: { keys: [{ algorithm: 'EdDSA', key: pem }] } }))
    const env = { HOLDFAST_ENV: 'production', HOLDFAST_ORIGINS: 'missing', REDIS_URL: 'memory' }
    const configuration = await loadConfiguration({ env: { ...env, PORT: '0' }, file })
    const { secret } = await findSecret(configuration, directory)
    const { webSocketUrl } = await startFrom({ configuration, secret })
    const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
    const exp = Math.floor(systemClock.now() / 1_000) + 60
    const content = `${encode({ alg: 'EdDSA' })}.${encode({ tenant: 'acme', sub: 'ada', exp })}`
    const client = new Holdfast(webSocketUrl, {
      token: `${content}.${sign(null, Buffer.from(content), privateKey).toString('base64url')}`,
    })
    await client.ready()
    expect(client.identity).toMatchObject({ tenant: 'acme', user: 'ada' })
    client.disconnect()
    for (const guess of [pem as string, '', 'x'.repeat(32)]) {
      const forger = new Holdfast(webSocketUrl, {
        token: signToken({ secret: guess, tenant: 'acme', user: 'ada' }),
      })
      await expect(forger.ready()).rejects.toThrow('Invalid authentication token')
      forger.disconnect()
    }
    await rm(directory, { recursive: true })
  })

  it('takes what its nodes share from a variable where there is no secret', async () => {
    const env = {
      HOLDFAST_JWKS_URL: 'https://accounts.test/keys',
      HOLDFAST_ENV: 'production',
      PORT: '0',
      REDIS_URL: 'redis://127.0.0.1:1',
    }
    const starting = async (more: Record<string, string>): Promise<Standalone> =>
      startFrom({ configuration: await loadConfiguration({ env: { ...env, ...more } }), secret: undefined })
    await expect(starting({})).rejects.toThrow('cluster.secret must be at least 32 bytes where nodes share an engine')
    await expect(starting({ HOLDFAST_CLUSTER_SECRET: 'short' })).rejects.toThrow('at least 32 bytes, received 5')
    const { webSocketUrl } = await starting({ HOLDFAST_CLUSTER_SECRET: SECRET })
    expect(webSocketUrl).toContain('ws://')
  })

  it('does not show what was written in the place of keys', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'holdfast-keys-')), 'holdfast.yaml')
    const { key, id } = createApiKey()
    await writeFile(file, JSON.stringify({ auth: { apiKeys: key } }))
    await expect(start({}, file)).rejects.toThrow(/auth\.apiKeys.* must be a list of keys, received something else/)
    await writeFile(file, JSON.stringify({ auth: { apiKeys: [{ id, hash: key, tenant: 'acme', grants: {} }] } }))
    await expect(start({}, file)).rejects.toThrow('auth.apiKeys[0].hash must be sha256: and 64 hexadecimal digits')
    await expect(start({}, file)).rejects.not.toThrow(key)
    await rm(dirname(file), { recursive: true })
  })

  it('says which port is taken and how to choose another', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    const message = `port ${port} on 127.0.0.1 is taken by another program; choose another with --port ${port + 1}`
    await expect(start({ PORT: String(port) })).rejects.toThrow(message)
    await new Promise((resolve) => other.close(resolve))
  })

  it('passes what is wrong with a limit on in the words of the server', async () => {
    const configuration = { ...(await loadConfiguration({ env: {} })), port: 0, limits: { messageBytesMax: '64k' } }
    const log = createLog({ level: 'silent', format: 'json' }, { write: () => true })
    const parts = { configuration, secret: SECRET, log, cwd: '.', clock: systemClock }
    await expect(startStandalone(parts)).rejects.toThrow(
      'limits.messageBytesMax must be an integer from 1024 to 16777216',
    )
  })
})

describe('pages of other origins', () => {
  const page = 'https://app.example.com'
  const strict = { HOLDFAST_ENV: 'production', REDIS_URL: 'memory', HOLDFAST_ORIGINS: page }

  it('may read answers where they are allowed to connect, and nowhere else', async () => {
    const { url } = await start(strict)
    const allowed = await fetch(`${url}/health/live`, { headers: { origin: page } })
    expect(allowed.headers.get('access-control-allow-origin')).toBe(page)
    const other = await fetch(`${url}/health/live`, { headers: { origin: 'https://evil.example' } })
    expect([...other.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    expect(other.headers.get('vary')).toBe('Origin')
  })

  it('are what the server is told of in its own words', async () => {
    const origins = 'http://app.example.com'
    await expect(start({ ...strict, HOLDFAST_ORIGINS: origins })).rejects.toThrow(
      `origins.allow.0 must be https in production, received "${origins}"`,
    )
  })

  it('that had their name pointed at this machine are sent away', async () => {
    const { url } = await start()
    const { port } = new URL(url)
    const status = await new Promise((resolve, reject) => {
      const headers = { host: `evil.example:${port}` }
      request({ host: '127.0.0.1', port, path: '/', headers, agent: false }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
        .on('error', reject)
        .end()
    })
    expect(status).toBe(421)
  })
})

describe('the tokens of the demo', () => {
  it('are given to its own page', async () => {
    const { url } = await start()
    const response = await askToken(url, { headers: { origin: url } })
    const { token } = (await response.json()) as { token: string }
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object
    expect(claims).toMatchObject({ tenant: 'demo', sub: 'ada' })
  })

  it('are not given to pages of other origins or by forms', async () => {
    const { url } = await start()
    expect((await askToken(url, { headers: { origin: 'https://evil.example' } })).status).toBe(403)
    expect((await askToken(url, { headers: { 'content-type': 'text/plain' } })).status).toBe(415)
  })

  it('are refused for what is no name', async () => {
    const { url } = await start()
    for (const body of ['', '[]', '{"user":""}', '{"user":"a:b"}', `{"user":"${'x'.repeat(33)}"}`]) {
      expect((await askToken(url, { body })).status).toBe(400)
    }
  })
})
