import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { within } from '../kit/deadline.js'
import { type FillClient, type Json, csvForm, exampleCsv, exampleLots, manyLots } from './kit/fill-client.js'
import { FillServer } from './kit/fill-server.js'

let server: FillServer
let planner: FillClient

beforeAll(async () => {
  server = await FillServer.start()
  planner = await server.user()
})

afterAll(() => server.close())

describe('a comparison over REST', () => {
  const begun = async (more: object = {}): Promise<string> => (await planner.comparison(more)).id

  it('plans a file with each strategy beside the given order, and tells figures, deltas, the best and the summary', async () => {
    const form = csvForm(await exampleCsv(), { strategies: 'smart-pack, spt', mode: 'classic', name: 'Which?' })
    const { status, body } = await planner.post('/compare', form)
    expect([status, body]).toMatchObject([
      202,
      {
        name: 'Which?',
        status: 'pending',
        strategies: ['smart-pack', 'spt-pack'],
        lots_count: 15,
        best_strategy: null,
      },
    ])
    const done = await planner.reached(`/compare/${String(body['id'])}`)
    expect(done).toMatchObject({
      status: 'completed',
      best_strategy: 'spt-pack',
      results: [
        {
          strategy: 'given',
          status: 'completed',
          kpis: { 'Makespan (h)': '545.16' },
          deltas: null,
          lots_scheduled: 15,
        },
        { strategy: 'smart-pack', kpis: { 'Makespan (h)': '513.16' }, deltas: { 'Makespan (h)': '-32.00' } },
        { strategy: 'spt-pack', kpis: { 'Makespan (h)': '497.16' }, deltas: { 'Makespan (h)': '-48.00' } },
      ],
      summary: { strategies: 2, completed: 2 },
    })
    const [given] = done['results'] as { changeovers: number; activities: unknown[] }[]
    expect(given?.changeovers).toBe(10)
    expect(given?.activities.length).toBe(30)
    const { body: list } = await planner.get('/comparisons?status=completed')
    expect(list).toMatchObject({ total: 1, items: [{ id: body['id'], best_strategy: 'spt-pack', lots_count: 15 }] })
  })

  it.each(['html', 'csv', 'json', 'xlsx'])('is taken along as %s once it is completed', async (format) => {
    const { body } = await planner.get<{ items: { id: string }[] }>('/comparisons?status=completed')
    const answer = await planner.fetch(`/api/v1/compare/${body.items[0]?.id}/export?format=${format}`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-disposition')).toContain(`.${format}"`)
    expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(200)
  })

  it('takes a field for each strategy of a form, as browsers send them', async () => {
    const form = csvForm(await exampleCsv(), { strategies: 'spt' })
    for (const more of ['lpt', 'cfs, hybrid']) form.append('strategies', more)
    const { status, body } = await planner.post('/compare', form)
    expect([status, body]).toMatchObject([
      202,
      { strategies: ['spt-pack', 'lpt-pack', 'cfs-pack', 'hybrid-pack'], lots_count: 15 },
    ])
    form.append('strategies', 'SPT')
    const refused = await planner.post('/compare', form)
    expect([refused.status, refused.body]).toMatchObject([400, { error: { field: 'strategies' } }])
  })

  it.each([
    ['one strategy', ['spt']],
    ['seven', ['smart', 'spt', 'lpt', 'cfs', 'hybrid', 'exact', 'improver']],
    ['the same twice', ['spt', 'SPT_PACK']],
    ['an unknown one', ['spt', 'magic']],
  ])('is refused for %s', async (_, strategies) => {
    const { status, body } = await planner.post('/compare', { lots_data: await exampleLots(), strategies })
    expect([status, body]).toMatchObject([400, { error: { code: 'bad_request', field: 'strategies' } }])
  })

  it('is one operation with a part for each strategy; cancelled as a whole, it ends in a second', async () => {
    const lots_data = manyLots()
    const id = await begun({ lots_data, strategies: ['improver', 'spt', 'lpt'] })
    const live = planner.live()
    const whole = live.operation(id)
    whole.done.catch(() => undefined)
    await planner.reached(`/compare/${id}`, ['running'])
    const refused = await planner.get(`/compare/${id}/export`)
    expect([refused.status, refused.body]).toMatchObject([400, { error: { code: 'not_completed' } }])
    const { body } = await planner.get<{ items: Json[] }>(`/operations?parent=${id}`)
    expect(body.items.map(({ id: part }) => String(part)).toSorted()).toEqual(
      ['given', 'improver', 'lpt-pack', 'spt-pack'].map((strategy) => `${id}.${strategy}`),
    )
    await whole.cancel()
    await within(
      'it ends',
      whole.done.catch(() => undefined),
      1_500,
    )
    expect(whole.snapshot?.state).toMatch(/cancelled|completed/)
    const { status } = await planner.reached(`/compare/${id}`)
    expect(whole.snapshot?.state).toBe(status)
    live.disconnect()
    expect((await planner.delete(`/compare/${id}`)).status).toBe(204)
    expect((await planner.get(`/compare/${id}`)).status).toBe(404)
  })

  it('is the same for the same Idempotency-Key', async () => {
    const request = { lots_data: await exampleLots(), strategies: ['spt', 'lpt'] }
    const ask = (more: object) => planner.post('/compare', { ...request, ...more }, { 'idempotency-key': 'k' })
    const first = await ask({})
    expect((await ask({})).body['id']).toBe(first.body['id'])
    for (const other of [{ strategies: ['spt', 'cfs'] }, { mode: 'classic' }, { config: { lines: 2 } }])
      expect((await ask(other)).status).toBe(409)
    const address = `/compare/${String(first.body['id'])}`
    expect((await planner.post(`${address}/cancel`)).status).toBe(202)
    await planner.delete(address)
    expect((await ask({})).status).toBe(409)
  })
})

describe('a template over REST', () => {
  const kept = async (more: object = {}): Promise<Json & { id: string }> => {
    const { status, body } = await planner.post<Json & { id: string }>('/config', {
      name: 'Two lines',
      settings: { lines: 2 },
      ...more,
    })
    expect(status).toBe(201)
    return body
  }

  it('keeps settings of any vocabulary in the names of today', async () => {
    const template = await kept({ settings: { CLEAN_HOURS: 12, changeover_matrix: { A: { B: 3 } } }, description: 'x' })
    expect(template).toMatchObject({
      settings: { cleanHours: 12, changeover: { matrix: { A: { B: 3 } } } },
      ...{ is_public: false, is_default: false, is_own: true, description: 'x' },
    })
    const { status, body } = await planner.post('/config', { name: 'Wrong', settings: { lines: 0, foo: 1 } })
    expect([status, body]).toMatchObject([400, { error: { code: 'invalid_config' } }])
  })

  it('is kept once under an Idempotency-Key, as an imported one is, and no other is under the same', async () => {
    const keep = (name: string) =>
      planner.post('/config', { name, settings: { lines: 2 } }, { 'idempotency-key': 'kept once' })
    const [one, again] = await Promise.all([keep('Once'), keep('Once')])
    expect([one.status, again.status]).toEqual([201, 201])
    expect(again.body['id']).toBe(one.body['id'])
    expect((await keep('Twice')).body).toMatchObject({ error: { code: 'idempotency_conflict' } })
    const file = { text: 'lines: 3\n', format: 'yaml', name: 'Imported once' }
    const bring = () => planner.post('/config/import', file, { 'idempotency-key': 'brought once' })
    expect((await bring()).body['id']).toBe((await bring()).body['id'])
    expect((await planner.get(`/config/${String(one.body['id'])}`)).body).toMatchObject({ name: 'Once' })
    const stranger = await server.user()
    const other = await stranger.post('/config', { name: 'Once', settings: {} }, { 'idempotency-key': 'kept once' })
    expect([other.status, other.body['id'] === one.body['id']]).toEqual([201, false])
  })

  it('is changed, listed, taken along and brought back', async () => {
    const { id } = await kept()
    const { body } = await planner.put(`/config/${id}`, { name: 'Three lines', settings: { lines: 3 } })
    expect(body).toMatchObject({ id, name: 'Three lines', settings: { lines: 3 } })
    expect((await planner.get('/configs?page_size=1')).body).toMatchObject({ page_size: 1, items: [{}] })
    for (const format of ['yaml', 'json']) {
      const file = await planner.fetch(`/api/v1/config/${id}/export?format=${format}`)
      expect(file.headers.get('content-disposition')).toContain(`Three_lines.${format}`)
      const form = new FormData()
      form.append('file', new Blob([await file.text()]), `Line plan.${format}`)
      const imported = await planner.post('/config/import', form)
      expect([imported.status, imported.body]).toMatchObject([
        201,
        { name: 'Line plan', settings: { lines: 3 }, is_public: false },
      ])
    }
    const text = { text: 'lines: [', format: 'yaml', name: 'Bad' }
    expect((await planner.post('/config/import', text)).body).toMatchObject({ error: { code: 'invalid_config' } })
    const form = new FormData()
    form.append('file', new Blob(['x']), 'lines.exe')
    expect((await planner.post('/config/import', form)).body).toMatchObject({ error: { field: 'file' } })
    expect((await planner.delete(`/config/${id}`)).status).toBe(204)
    expect((await planner.get(`/config/${id}`)).status).toBe(404)
  })

  it('is by which schedules are planned that name it, or, where it is the default, that name no settings', async () => {
    const { id } = await kept({ settings: { cleanHours: 10 } })
    const cleanHours = async (more: object): Promise<unknown> => {
      const { body } = await planner.get<{ config: { cleanHours: number } }>(
        `/schedule/${(await planner.schedule(more)).id}`,
      )
      return body.config.cleanHours
    }
    expect((await planner.get('/config/default')).status).toBe(404)
    expect(await cleanHours({ template_id: id })).toBe(10)
    expect(await cleanHours({ template_id: id, config: { cleanHours: 11 } })).toBe(11)
    expect((await planner.post(`/config/${id}/set-default`)).body).toMatchObject({ id, is_default: true })
    expect((await planner.get('/config/default')).body).toMatchObject({ id })
    expect(await cleanHours({})).toBe(10)
    expect(await cleanHours({ config: {} })).toBe(24)
    expect((await planner.delete('/config/default')).status).toBe(204)
    expect(await cleanHours({})).toBe(24)
    expect((await planner.get(`/config/${id}`)).status).toBe(200)
  })

  it('that is public is read by everybody and written by its owner alone', async () => {
    const { id } = await kept({ is_public: true, name: 'For all' })
    const other = await server.user()
    expect((await other.get('/configs?public_only=true')).body).toMatchObject({
      total: 1,
      items: [{ id, is_own: false }],
    })
    expect((await other.get(`/config/${id}`)).body).toMatchObject({ name: 'For all', is_own: false })
    expect((await other.put(`/config/${id}`, { name: 'Mine' })).status).toBe(404)
    expect((await other.delete(`/config/${id}`)).status).toBe(404)
    expect((await other.post(`/config/${id}/set-default`)).status).toBe(404)
    expect((await planner.get(`/config/${id}`)).body).toMatchObject({ name: 'For all' })
  })

  it('is looked at without being kept', async () => {
    const good = await planner.post('/config/validate', { settings: { lines: 2 } })
    expect(good.body).toMatchObject({ valid: true, errors: [], settings: { lines: 2, cleanHours: 24 } })
    const bad = await planner.post('/config/validate', { settings: { lines: 'two' } })
    expect([bad.status, bad.body]).toMatchObject([200, { valid: false, errors: [{ field: 'lines' }], settings: null }])
    expect((await planner.get('/config/system/default')).body).toMatchObject({ settings: { cleanHours: 24, lines: 1 } })
  })
})
