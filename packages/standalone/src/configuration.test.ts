import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfiguration } from './configuration.js'

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-configuration-'))
})

afterAll(() => rm(directory, { recursive: true, force: true }))

async function file(text: string): Promise<string> {
  const path = join(directory, 'holdfast.yaml')
  await writeFile(path, text)
  return path
}

describe('configuration', () => {
  it('has a default for every setting that needs one', async () => {
    expect(await loadConfiguration({ env: {} })).toEqual({
      port: 8000,
      host: '127.0.0.1',
      environment: 'development',
      engine: 'memory',
      dataDir: '.holdfast',
      path: '/ws',
      auth: {},
      log: { level: 'info', format: 'auto' },
    })
  })

  it('takes a flag before a variable, a variable before the file', async () => {
    const path = await file('port: 1\nhost: file\ndataDir: file\n')
    const loaded = await loadConfiguration({ flags: { port: '3' }, env: { PORT: '2', HOST: 'variable' }, file: path })
    expect(loaded).toMatchObject({ port: 3, host: 'variable', dataDir: 'file' })
  })

  it('takes an empty variable for an absent one', async () => {
    expect(await loadConfiguration({ env: { PORT: '', REDIS_URL: '' } })).toMatchObject({
      port: 8000,
      engine: 'memory',
    })
  })

  it('hands rules and limits on as they stand in the file', async () => {
    const path = await file(
      'channels:\n  "chat:*": { subscribe: anyone, history: { size: 5, ttl: 1h } }\nlimits:\n  channelsMax: 3\n',
    )
    expect(await loadConfiguration({ env: {}, file: path })).toMatchObject({
      channels: { 'chat:*': { subscribe: 'anyone', history: { size: 5, ttl: '1h' } } },
      limits: { channelsMax: 3 },
    })
  })

  it('names the flag, the variable or the key that is wrong, what it must be and what it is', async () => {
    const refuse = async (sources: Parameters<typeof loadConfiguration>[0], message: string): Promise<void> =>
      expect(loadConfiguration(sources)).rejects.toThrow(message)
    await refuse({ flags: { port: '80a' }, env: {} }, '--port must be an integer from 0 to 65535, received "80a"')
    await refuse({ env: { PORT: '70000' } }, 'PORT must be an integer from 0 to 65535, received "70000"')
    await refuse(
      { env: { HOLDFAST_ENV: 'prod uction' } },
      'HOLDFAST_ENV must be development, staging, production, or a name of yours, which is as strict as production, received "prod uction"',
    )
    await refuse(
      { flags: { engine: 'sqlite' }, env: {} },
      '--engine must be memory, disk, or an address that begins with redis://, rediss://, redis+sentinel:// or redis+cluster://',
    )
    await refuse(
      { env: { HOLDFAST_WORKERS: 'many' } },
      'HOLDFAST_WORKERS must be auto or an integer from 1 to 256, received "many"',
    )
    await refuse({ flags: { workers: '0' }, env: {} }, '--workers must be auto or an integer from 1 to 256')
    await refuse({ flags: { dataDir: 7 }, env: {} }, '--data-dir must be a directory, received 7')
    const path = await file('log: { level: loud }\n')
    await refuse({ env: {}, file: path }, `log.level in ${path} must be one of trace, debug, info`)
  })

  it('refuses a setting that it does not know, and lists those it does', async () => {
    const path = await file('prot: 8000\n')
    await expect(loadConfiguration({ env: {}, file: path })).rejects.toThrow(
      `prot in ${path} is not a setting; known are port, host, environment`,
    )
    const nested = await file('log: { colour: true }\n')
    await expect(loadConfiguration({ env: {}, file: nested })).rejects.toThrow(
      `log.colour in ${nested} is not a setting`,
    )
  })

  it('never prints a secret, nor what stands before the host in an address', async () => {
    const path = await file('secret: [hunter2]\n')
    await expect(loadConfiguration({ env: {}, file: path })).rejects.not.toThrow('hunter2')
    const wrong = loadConfiguration({ env: { REDIS_URL: 'redsi://app:hunter2@redis.internal:6379' } })
    await expect(wrong).rejects.toThrow('received "…@redis.internal:6379"')
  })

  it('keeps state on disk in production and where a data directory is named, and in Redis where one is', async () => {
    const engineOf = async (env: Record<string, string>): Promise<unknown> => (await loadConfiguration({ env })).engine
    expect(await engineOf({ HOLDFAST_ENV: 'production' })).toEqual({ disk: '.holdfast/engine' })
    expect(await engineOf({ HOLDFAST_DATA_DIR: '/data' })).toEqual({ disk: '/data/engine' })
    expect(await engineOf({ HOLDFAST_DATA_DIR: '/data', REDIS_URL: 'redis://r' })).toEqual({ redis: 'redis://r' })
    expect(await engineOf({ HOLDFAST_ENV: 'production', REDIS_URL: 'memory' })).toBe('memory')
  })

  it('takes an engine of a file as the server library has it', async () => {
    const path = await file(
      'engine: { redis: { mode: sentinel, master: main, servers: [{ host: s1, port: 26379 }] } }\n',
    )
    const { engine } = await loadConfiguration({ env: {}, file: path })
    expect(engine).toEqual({ redis: { mode: 'sentinel', master: 'main', servers: [{ host: 's1', port: 26_379 }] } })
  })

  it('reads lists from variables, and takes those of a file as the server library has them', async () => {
    const env = {
      HOLDFAST_ORIGINS: 'https://app.example.com, https://*.example.com,missing',
      HOLDFAST_HOSTS: 'app.example.com',
      HOLDFAST_TRUSTED_PROXIES: 'loopback,10.0.0.0/8',
    }
    expect(await loadConfiguration({ env })).toMatchObject({
      origins: { allow: ['https://app.example.com', 'https://*.example.com'], allowMissing: true },
      hosts: ['app.example.com'],
      trustedProxies: ['loopback', '10.0.0.0/8'],
    })
    const path = await file('origins: [https://app.example.com]\ntrustedProxies: [private]\n')
    expect(await loadConfiguration({ env: {}, file: path })).toMatchObject({
      origins: ['https://app.example.com'],
      trustedProxies: ['private'],
    })
    const wrong = await file('origins: 5\nhosts: [7]\n')
    await expect(loadConfiguration({ env: {}, file: wrong })).rejects.toThrow(/origins in .* must be a list of origins/)
  })

  it('reads roles and webhooks, whose secret may come from a variable', async () => {
    const path = await file(
      "roles: { host: { 'room:*': [publish] } }\nwebhooks: { connect: { url: 'https://app.example.com/hook' } }\n",
    )
    expect(await loadConfiguration({ env: { HOLDFAST_WEBHOOK_SECRET: 'x'.repeat(32) }, file: path })).toMatchObject({
      roles: { host: { 'room:*': ['publish'] } },
      webhooks: { connect: { url: 'https://app.example.com/hook' } },
      webhookSecret: 'x'.repeat(32),
    })
    const wrong = await file('roles: [host]\nwebhooks: do-not-tell\n')
    const refusal = loadConfiguration({ env: {}, file: wrong }).catch((error: Error) => error.message)
    expect(await refusal).toMatch(/roles in .* must be a mapping of roles to what they grant/)
    expect(await refusal).not.toContain('do-not-tell')
  })

  it('reads tenants, plans and the default plan, and shows nothing of their keys', async () => {
    const path = await file(
      'plans: { free: { connections: 5 } }\ndefaultPlan: free\ntenants: { acme: { quotas: { connections: 9 } } }\n',
    )
    expect(await loadConfiguration({ env: {}, file: path })).toMatchObject({
      plans: { free: { connections: 5 } },
      defaultPlan: 'free',
      tenants: { acme: { quotas: { connections: 9 } } },
    })
    const wrong = await file('tenants: { acme: do-not-tell }\n')
    const refusal = loadConfiguration({ env: {}, file: wrong }).catch((error: Error) => error.message)
    expect(await refusal).toMatch(/tenants.acme in .* must be/)
    expect(await refusal).not.toContain('do-not-tell')
  })

  it('counts workers, one for each core with auto', async () => {
    const env = { REDIS_URL: 'redis://r' }
    expect((await loadConfiguration({ env })).workers).toBeUndefined()
    expect((await loadConfiguration({ env: { ...env, HOLDFAST_WORKERS: '3' } })).workers).toBe(3)
    expect((await loadConfiguration({ flags: { workers: 'auto' }, env })).workers).toBe(availableParallelism())
  })

  it('says where a file is not YAML, not a mapping, or not there', async () => {
    const broken = await file('port: 1\nport: 2\n')
    await expect(loadConfiguration({ env: {}, file: broken })).rejects.toThrow(
      /is not valid YAML: .* at line 2, column \d+$/,
    )
    const list = await file('- port\n')
    await expect(loadConfiguration({ env: {}, file: list })).rejects.toThrow('must hold a mapping of settings')
    await expect(loadConfiguration({ env: {}, file: join(directory, 'absent') })).rejects.toThrow(
      '--config must be a file that can be read',
    )
  })
})
