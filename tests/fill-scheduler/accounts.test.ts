import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { FillClient, type Json, manyLots } from './kit/fill-client.js'
import { FillServer } from './kit/fill-server.js'

describe('accounts', () => {
  let server: FillServer

  beforeAll(async () => {
    // Without a secret of its own.
    server = await FillServer.start({ secret: undefined, example: true } as object)
  })

  afterAll(() => server.close())

  const client = (): FillClient => new FillClient(server.url)

  it('are opened once for each address, with a password of 8 to 256 characters', async () => {
    const { status, body } = await client().post('/auth/register', {
      email: 'Ada@Example.com',
      password: 'long enough',
    })
    expect([status, body]).toMatchObject([201, { email: 'ada@example.com' }])
    expect(Object.keys(body).toSorted()).toEqual(['created_at', 'email', 'id'])
    const again = await client().post('/auth/register', { email: 'ada@example.com', password: 'long enough' })
    expect([again.status, again.body]).toMatchObject([
      400,
      { error: { code: 'email_taken', message: 'Email already registered', field: 'email', retryable: false } },
    ])
    for (const [field, more] of [
      ['email', { email: 'nobody' }],
      ['password', { password: 'short' }],
      ['role', { role: 'admin' }],
    ] as const) {
      const refused = await client().post('/auth/register', {
        email: 'bob@example.com',
        password: 'long enough',
        ...more,
      })
      expect([refused.status, refused.body]).toMatchObject([400, { error: { field } }])
    }
  })

  it('are entered by form as by JSON, with a token for a day', async () => {
    const form = new URLSearchParams({ username: 'ada@example.com', password: 'long enough', grant_type: 'password' })
    for (const body of [form, { email: 'ADA@example.com', password: 'long enough' }]) {
      const { status, body: answer } = await client().post<{ access_token: string }>('/auth/login', body)
      expect([status, answer]).toMatchObject([200, { token_type: 'bearer', expires_in: 86_400 }])
      const me = await new FillClient(server.url, answer.access_token).get('/auth/me')
      expect([me.status, me.body]).toMatchObject([200, { email: 'ada@example.com' }])
      expect(me.headers.get('cache-control')).toBe('no-store')
    }
  })

  it('are left by a token that is good no more, for routes as for live updates', async () => {
    const ada = client()
    await ada.login('ada@example.com', 'long enough')
    expect((await ada.post('/auth/logout')).status).toBe(200)
    const { status, body, headers } = await ada.get('/auth/me')
    expect([status, body]).toMatchObject([401, { error: { code: 'unauthenticated' } }])
    expect(headers.get('www-authenticate')).toContain('Bearer')
    const live = ada.live()
    await expect(live.ready()).rejects.toThrow()
    live.disconnect()
  })

  it('look alike from outside, and lock whoever guesses: 429, with when to try again', async () => {
    const wrong = (email: string) => client().post('/auth/login', { email, password: 'wrong password' })
    const [known, unknown] = [await wrong('ada@example.com'), await wrong('nobody@example.com')]
    expect([known.status, known.body]).toMatchObject([401, { error: { message: 'Incorrect email or password' } }])
    expect(unknown.body).toEqual(known.body)
    let last = known
    for (let tries = 1; tries <= 12 && last.status === 401; tries += 1) last = await wrong('ada@example.com')
    expect([last.status, last.body]).toMatchObject([429, { error: { code: 'rate_limited', retryable: true } }])
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0)
    const right = await client().post('/auth/login', { email: 'ada@example.com', password: 'long enough' })
    expect(right.status).toBe(429)
    let other = unknown
    for (let tries = 1; tries <= 40 && other.status === 401; tries += 1)
      other = await wrong(`nobody${tries}@example.com`)
    expect(other.status).toBe(429)
  })

  it('have their secret made once, for the owner of the folder alone', async () => {
    const file = join(server.folder, 'secret')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await readFile(file, 'utf8')).length).toBeGreaterThan(32)
  })

  it('are refused to tokens of others, and to those who send none', async () => {
    for (const token of [undefined, 'nonsense', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.']) {
      const { status, body } = await new FillClient(server.url, token).get('/schedules')
      expect([status, body]).toMatchObject([401, { error: { code: 'unauthenticated', retryable: false } }])
    }
  })
})

describe('an account of one’s own', () => {
  let server: FillServer
  let ada: FillClient

  beforeAll(async () => {
    server = await FillServer.start({ runsAtATime: 1 })
  })
  beforeEach(async () => {
    ada = await server.user()
  })

  afterAll(() => server.close())

  const PASSWORD = 'a good password'
  const NEXT = 'another good password'
  const LONG = {
    lots_data: manyLots(),
    strategy: 'improver',
    config: { strategies: { improver: { timeLimitSeconds: 120 } } },
  }
  const change = (client: FillClient, current_password: string = PASSWORD, new_password: string = NEXT) =>
    client.put<{ access_token: string; error?: Json }>('/auth/password', { current_password, new_password })

  it('gets another password, which lets whoever set it go on with a new token, and nobody else', async () => {
    const other = new FillClient(server.url)
    await other.login(ada.email, PASSWORD)
    const live = other.live()
    await live.channel(`user:${ada.userId}`).subscribe()
    const { status, body } = await change(ada)
    expect([status, body]).toMatchObject([200, { token_type: 'bearer', expires_in: 86_400 }])
    await eventually('live connections end', () => live.status === 'failed')
    live.disconnect()
    for (const client of [ada, other]) expect((await client.get('/auth/me')).status).toBe(401)
    const renewed = new FillClient(server.url, body.access_token)
    expect((await renewed.get('/auth/me')).body).toMatchObject({ email: ada.email })
    const goesOn = renewed.live()
    await goesOn.ready()
    goesOn.disconnect()
    expect((await ada.post('/auth/login', { email: ada.email, password: PASSWORD })).status).toBe(401)
    expect((await ada.post('/auth/login', { email: ada.email, password: NEXT })).status).toBe(200)
  })

  it('gets none from who does not know the current one, and none that is no password; nothing else happens then', async () => {
    const wrong = await change(ada, 'a wrong password')
    expect([wrong.status, wrong.body]).toMatchObject([
      403,
      { error: { code: 'wrong_password', field: 'current_password', retryable: false } },
    ])
    const short = await change(ada, PASSWORD, 'short')
    expect([short.status, short.body]).toMatchObject([
      400,
      { error: { code: 'invalid_password', field: 'new_password' } },
    ])
    const stranger = new FillClient(server.url)
    expect((await change(stranger)).status).toBe(401)
    expect((await ada.get('/auth/me')).status).toBe(200)
  })

  it('gets the password of one of two who set it at the same time', async () => {
    const outcomes = await Promise.all([change(ada, PASSWORD, NEXT), change(ada, PASSWORD, `${NEXT} too`)])
    const statuses = outcomes.map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect([401, 403]).toContain(statuses.find((status) => status !== 200))
    const granted = outcomes.find(({ status }) => status === 200)?.body.access_token
    expect((await new FillClient(server.url, granted).get('/auth/me')).status).toBe(200)
  })

  it('is closed with everything of its own: runs are cancelled, tokens are no good, live connections end', async () => {
    const bob = await server.user()
    const { id: running } = await ada.schedule(LONG)
    await ada.reached(`/schedule/${running}`, ['running'])
    const { id: compared } = await ada.comparison()
    const { body: template } = await ada.post<{ id: string }>('/config', {
      name: 'Ours',
      settings: {},
      is_public: true,
    })
    expect((await bob.get(`/config/${template.id}`)).status).toBe(200)
    const live = ada.live()
    const operation = live.operation(running)
    const cancelled = operation.done.catch((error: unknown) => error)
    await live.channel(`schedule:${running}`).subscribe()
    expect((await ada.post('/auth/close', { password: 'a wrong password' })).status).toBe(403)
    expect((await ada.get(`/schedule/${running}`)).body).toMatchObject({ status: 'running' })
    expect((await ada.post('/auth/close', { password: PASSWORD })).status).toBe(204)
    await eventually('live connections end', () => live.status === 'failed')
    await cancelled
    live.disconnect()
    for (const path of ['/auth/me', `/schedule/${running}`, `/operations/${running}`])
      expect([path, (await ada.get(path)).status]).toEqual([path, 401])
    const late = ada.live()
    await expect(late.ready()).rejects.toThrow()
    late.disconnect()
    expect((await ada.post('/auth/login', { email: ada.email, password: PASSWORD })).status).toBe(401)
    expect((await bob.get(`/config/${template.id}`)).status).toBe(404)
    // What it had handed in holds nobody up any more.
    const { id: next } = await bob.schedule()
    expect(await bob.reached(`/schedule/${next}`)).toMatchObject({ status: 'completed' })
    const again = new FillClient(server.url)
    await again.register(ada.email, PASSWORD)
    expect(again.userId).not.toBe(ada.userId)
    for (const path of [`/schedule/${running}`, `/compare/${compared}`, `/operations/${running}`])
      expect([path, (await again.get(path)).status]).toEqual([path, 404])
    expect((await again.get('/schedules')).body).toMatchObject({ total: 0 })
  })

  // The last: afterwards this address has no more tries either.
  it('is neither changed nor closed by guessing: tries count as those of signing in', async () => {
    const tried = (tries: number) =>
      tries % 2 === 0 ? change(ada, 'a wrong password') : ada.post('/auth/close', { password: 'a wrong password' })
    let last = await tried(0)
    for (let tries = 1; tries <= 12 && last.status === 403; tries += 1) last = await tried(tries)
    expect([last.status, last.body]).toMatchObject([429, { error: { code: 'rate_limited' } }])
    for (const refused of [await change(ada), await ada.post('/auth/close', { password: PASSWORD })])
      expect(refused.status).toBe(429)
    expect((await ada.post('/auth/login', { email: ada.email, password: PASSWORD })).status).toBe(429)
  })
})

describe('the example', () => {
  it(
    'has an account that a link opens once, and the example lots planned; another start changes nothing, and brings nothing back',
    { timeout: 60_000 },
    async () => {
      let server = await FillServer.start({ example: true })
      const codeOf = ({ signInUrl = '' }: FillServer): string =>
        new URLSearchParams(new URL(signInUrl).hash.slice(1)).get('code') ?? ''
      const enter = async (code: string) => {
        const stranger = new FillClient(server.url)
        const { status, body } = await stranger.post<{ access_token: string }>('/auth/code', { code })
        return { status, planner: new FillClient(server.url, body.access_token) }
      }
      const { status, planner } = await enter(codeOf(server))
      expect(status).toBe(200)
      expect((await enter(codeOf(server))).status).toBe(401)
      expect((await planner.get('/auth/me')).body).toMatchObject({ email: 'planner@example.com' })
      const { body: schedules } = await planner.get<{ items: { id: string }[] }>('/schedules')
      for (const { id } of schedules.items)
        expect(await planner.reached(`/schedule/${id}`)).toMatchObject({ status: 'completed' })
      const { body: comparisons } = await planner.get<{ items: { id: string }[] }>('/comparisons')
      expect([schedules.items.length, comparisons.items.length]).toEqual([3, 1])
      expect(await planner.reached(`/compare/${comparisons.items[0]?.id}`)).toMatchObject({ status: 'completed' })
      await planner.delete(`/schedule/${schedules.items[0]?.id}`)
      await server.stop()
      server = await FillServer.start({ example: true }, server.folder)
      const again = await enter(codeOf(server))
      expect((await again.planner.get('/schedules')).body).toMatchObject({ total: 2 })
      expect((await again.planner.get('/comparisons')).body).toMatchObject({ total: 1 })
      await server.close()
    },
  )

  it('is for this machine alone', { timeout: 60_000 }, async () => {
    await expect(FillServer.start({ example: true, host: '0.0.0.0' })).rejects.toThrow(/this machine alone/)
  })
})
