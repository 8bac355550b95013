import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FillClient, type Json, csvForm, exampleCsv, exampleLots, manyLots } from './kit/fill-client.js'
import { FillServer } from './kit/fill-server.js'

interface Activity {
  readonly kind: string
  readonly lot_id: string | null
  readonly start: string
  readonly start_hours: number
  readonly end_hours: number
  readonly frozen: boolean
}

interface Result extends Json {
  readonly activities: readonly Activity[]
}

const problemsOf = ({ body }: { readonly body: Json }): unknown =>
  (body as { error?: { details?: { problems?: unknown } } }).error?.details?.problems

describe('schedules over REST', () => {
  let server: FillServer
  let planner: FillClient

  beforeAll(async () => {
    server = await FillServer.start()
    planner = await server.user()
  })

  afterAll(() => server.close())

  const planned = async (more: object = {}): Promise<Json & { id: string; result: Result }> => {
    const { id } = await planner.schedule(more)
    return (await planner.reached(`/schedule/${id}`)) as unknown as Json & { id: string; result: Result }
  }

  describe('that are begun', () => {
    it('plan a file, and tell figures, plan, lots and settings', async () => {
      const form = csvForm(await exampleCsv(), { name: 'Week 1', strategy: 'LPT_pack', mode: 'classic' })
      const { status, body } = await planner.post('/schedule', form)
      expect(status).toBe(202)
      expect(body).toMatchObject({
        name: 'Week 1',
        status: 'pending',
        strategy: 'lpt-pack',
        mode: 'classic',
        makespan: null,
      })
      const done = await planner.reached(`/schedule/${String(body['id'])}`)
      expect(done).toMatchObject({ status: 'completed', operation_id: body['id'], error: null, lots_count: 15 })
      const result = done['result'] as Result
      expect(result).toMatchObject({ lots_scheduled: 15, window_violations: 0, kpis: { 'Makespan (h)': '497.16' } })
      const fills = result.activities.filter(({ kind }) => kind === 'FILL').map(({ lot_id }) => lot_id)
      expect(fills.join(' ')).toBe('C4 A3 C7 A1 A5 C1 C6 A4 B1 C5 B2 C2 C3 A2 B3')
      expect(result.activities[0]).toMatchObject({ kind: 'CLEAN', start: '2025-01-01T08:00:00+00:00', start_hours: 0 })
    })

    it('plan JSON on both addresses, with the default strategy, name and mode', async () => {
      const lots_data = await exampleLots()
      for (const path of ['/schedule', '/schedule/json']) {
        const { status, body } = await planner.post(path, { lots_data })
        expect(status).toBe(202)
        expect(body).toMatchObject({ strategy: 'smart-pack', mode: 'improved' })
        expect(body['name']).toMatch(/^Schedule \d{4}-\d\d-\d\d \d\d:\d\d$/)
      }
    })

    it('begin when start_time says, which is in UTC without an offset and told in the zone of the settings', async () => {
      const { result } = await planned({ start_time: '2026-03-01T06:30:00', config: { timeZone: 'Europe/Berlin' } })
      expect(result.activities[0]?.start).toBe('2026-03-01T07:30:00+01:00')
    })

    it('prove the best plan of the example with the exact optimiser', async () => {
      const { result } = await planned({ strategy: 'milp-opt' })
      expect(result).toMatchObject({ kpis: { 'Makespan (h)': '497.16' }, proof: { status: 'optimal', gap: 0 } })
    })

    it('take settings of either vocabulary, and lots with due dates and priorities', async () => {
      const lots_data = [
        { lot_id: 'A', lot_type: 'T', vials: 19_920, due: '2025-01-02', priority: 'high', fill_hours: 1 },
      ]
      const done = await planned({ lots_data, config: { CLEAN_HOURS: 10 } })
      expect(done['lots_data']).toEqual([
        { lot_id: 'A', lot_type: 'T', vials: 19_920, fill_hours: 1, due: '2025-01-03T00:00:00+00:00', priority: 3 },
      ])
      expect(done.result['makespan']).toBe(11)
    })

    it('are the same for the same Idempotency-Key, and refused for another request under it', async () => {
      const lots_data = await exampleLots()
      const begin = (more: object) => planner.post('/schedule', { lots_data, ...more }, { 'idempotency-key': 'week-7' })
      const [first, second] = await Promise.all([begin({}), begin({})])
      expect([first.status, second.status]).toEqual([202, 202])
      expect(second.body['id']).toBe(first.body['id'])
      const third = await begin({ strategy: 'spt' })
      expect([third.status, third.body]).toMatchObject([409, { error: { code: 'idempotency_conflict' } }])
      expect((await begin({ config: { lines: 2 } })).status).toBe(409)
      // Its operation has ended, and cannot be that of another.
      const address = `/schedule/${String(first.body['id'])}`
      await planner.reached(address)
      await planner.delete(address)
      expect((await begin({})).status).toBe(409)
    })
  })

  describe('that are refused', () => {
    it('name each row and column that is wrong, of files as of JSON', async () => {
      const csv = await planner.post('/schedule', csvForm('Lot ID,Type,Vials\nA,T,x\nA,T,1\nB,T,3000000\n'))
      expect([csv.status, csv.body]).toMatchObject([400, { error: { code: 'invalid_lots', retryable: false } }])
      expect(problemsOf(csv)).toMatchObject([
        { severity: 'error', code: 'bad_vials', row: 2, column: 'Vials', lot_id: 'A' },
        { code: 'duplicate_lot', row: 3 },
        { code: 'oversize_lot', row: 4, column: 'Vials', lot_id: 'B' },
      ])
      const list = await planner.post('/schedule', { lots_data: [{ lot_id: 'A', lot_type: 'T', vials: 1.5 }] })
      expect(problemsOf(list)).toMatchObject([{ code: 'bad_vials', row: 1, column: 'vials' }])
      const none = await planner.post('/schedule', { lots_data: [] })
      expect(none.body).toMatchObject({ error: { message: 'No lots provided' } })
    })

    it('name the setting that is wrong or that the strategy does not know', async () => {
      const lots_data = await exampleLots()
      const wrong = await planner.post('/schedule', { lots_data, config: { lines: 99, nonsense: 1 } })
      expect([wrong.status, wrong.body]).toMatchObject([400, { error: { code: 'invalid_config' } }])
      expect(problemsOf(wrong)).toEqual(expect.arrayContaining([expect.objectContaining({ field: 'lines' })]))
      const lines = await planner.post('/schedule', { lots_data, strategy: 'exact', config: { lines: 2 } })
      expect(problemsOf(lines)).toMatchObject([{ code: 'unsupported_by_exact', field: 'lines' }])
      const zone = await planner.post('/schedule', { lots_data, config: { timeZone: 'Nowhere/Land' } })
      expect(problemsOf(zone)).toMatchObject([{ field: 'timeZone' }])
    })

    it.each([
      ['an unknown member', { lots_data: [], colour: 'red' }, 'colour'],
      ['an unknown strategy', { lots_data: [], strategy: 'magic' }, 'strategy'],
      ['an unknown mode', { lots_data: [], mode: 'fast' }, 'mode'],
      ['no lots', { name: 'x' }, 'lots_data'],
      ['an empty name', { lots_data: [], name: ' ' }, 'name'],
      [
        'a start that is no time',
        { lots_data: [{ lot_id: 'A', lot_type: 'T', vials: 1 }], start_time: 'soon' },
        'start_time',
      ],
      ['no JSON', '{"lots_data": [', undefined],
    ])('name the member for %s', async (_, body, field) => {
      const { status, body: answer } = await planner.post('/schedule', body)
      expect([status, answer]).toMatchObject([400, { error: { code: 'bad_request', retryable: false } }])
      expect((answer['error'] as Json)['field']).toBe(field)
    })

    it('say which bodies are taken: no text that cannot be kept, no other kind, no other ending, no more than a file of 10 MiB', async () => {
      const lots_data = await exampleLots()
      for (const [field, more] of [
        ['description', { description: 'a\0b' }],
        ['start_time', { start_time: '+275760-09-13T00:00:00Z' }],
      ] as const) {
        const { status, body } = await planner.post('/schedule', { lots_data, ...more })
        expect([status, body]).toMatchObject([400, { error: { field } }])
      }
      const text = await planner.post('/schedule', 'lots', { 'content-type': 'text/plain' })
      expect([text.status, text.body]).toMatchObject([415, { error: { code: 'unsupported_media_type' } }])
      expect((await planner.post('/schedule')).status).toBe(400)
      const named = await planner.post('/schedule', csvForm(await exampleCsv(), {}, 'lots.exe'))
      expect([named.status, named.body]).toMatchObject([400, { error: { field: 'csv_file' } }])
      const config = await planner.post('/schedule', csvForm(await exampleCsv(), { config: '{' }))
      expect([config.status, config.body]).toMatchObject([400, { error: { field: 'config' } }])
      const large = await planner.post('/schedule', csvForm('x'.repeat(11 * 1024 * 1024)))
      expect([large.status, large.body]).toMatchObject([413, { error: { code: 'too_large' } }])
    })

    it('are those of somebody who has 20 open', async () => {
      const busy = await server.user()
      const request = { lots_data: manyLots(40), strategy: 'improver' }
      const begun = []
      for (let count = 0; count < 20; count += 1) begun.push(await busy.schedule(request))
      const { status, body } = await busy.post('/schedule', request)
      expect([status, body]).toMatchObject([
        422,
        { error: { code: 'limit_exceeded', details: { limit: 'open_runs', max: 20 } } },
      ])
      for (const { id } of begun) expect((await busy.delete(`/schedule/${id}`)).status).toBe(204)
      await busy.schedule()
    })
  })

  describe('that are there', () => {
    it('are listed newest first, by page, status, strategy and part of the name, and counted', async () => {
      const user = await server.user()
      for (const [name, strategy] of [
        ['Alpha', 'spt-pack'],
        ['Beta', 'lpt-pack'],
        ['Alphabet', 'spt-pack'],
      ]) {
        const { id } = await user.schedule({ name, strategy })
        await user.reached(`/schedule/${id}`)
      }
      const names = async (query: string): Promise<unknown> => {
        const { body } = await user.get<{ items: { name: string }[] }>(`/schedules${query}`)
        return body.items.map(({ name }) => name)
      }
      expect(await names('')).toEqual(['Alphabet', 'Beta', 'Alpha'])
      expect(await names('?page=2&page_size=2')).toEqual(['Alpha'])
      expect(await names('?strategy=lpt-pack')).toEqual(['Beta'])
      expect(await names('?search=alpha&status=completed')).toEqual(['Alphabet', 'Alpha'])
      expect((await user.get('/schedules?page_size=2')).body).toMatchObject({
        total: 3,
        page: 1,
        page_size: 2,
        pages: 2,
      })
      expect((await user.get('/schedules/stats')).body).toMatchObject({
        total: 3,
        by_status: { completed: 3 },
        by_strategy: { 'spt-pack': 2, 'lpt-pack': 1 },
        times: { 'spt-pack': { begun: 2, completed: 2 }, 'lpt-pack': { begun: 1, completed: 1 } },
      })
      expect((await user.get('/schedules?page=0')).status).toBe(400)
      expect((await user.get('/schedules?colour=red')).body).toMatchObject({ error: { field: 'colour' } })
    })

    it.each([
      ['json', 'application/json', '{'],
      ['csv', 'text/csv; charset=utf-8', 'Start'],
      ['txt', 'text/plain; charset=utf-8', '=== Schedule Summary'],
      ['html', 'text/html; charset=utf-8', '<!doctype html>'],
      ['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'PK'],
      ['excel', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'PK'],
      ['pdf', 'application/pdf', '%PDF-'],
    ])('are taken along as %s, always as a file to be saved', async (format, type, beginning) => {
      const { body } = await planner.get<{ items: { id: string }[] }>('/schedules?status=completed&page_size=1')
      const answer = await planner.fetch(`/api/v1/schedule/${body.items[0]?.id}/export?format=${format}`)
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type])
      expect(answer.headers.get('content-disposition')).toMatch(
        /^attachment; filename="[^"]+\.\w+"; filename\*=UTF-8''/,
      )
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
      const bytes = Buffer.from(await answer.arrayBuffer())
      expect(bytes.toString('latin1').toLowerCase().replace('\ufeff', '').replace('ï»¿', '')).toMatch(
        new RegExp(`^${beginning.toLowerCase()}`),
      )
    })

    it('have nothing to take along, or to plan anew, before they are completed', async () => {
      const { id } = await planner.schedule({ lots_data: manyLots(), strategy: 'improver' })
      const answer = await planner.get(`/schedule/${id}/export?format=csv`)
      expect([answer.status, answer.body]).toMatchObject([400, { error: { code: 'not_completed' } }])
      const replan = await planner.post(`/schedule/${id}/replan`, { from: '2025-01-02T00:00:00Z' })
      expect(replan.body).toMatchObject({ error: { code: 'not_completed' } })
      await planner.delete(`/schedule/${id}`)
      expect((await planner.get(`/schedule/${id}`)).status).toBe(404)
    })

    it('are planned anew from a moment on, with further lots, and what had begun stays', async () => {
      const { id, result } = await planned({ strategy: 'cfs-pack' })
      const begun = result.activities.filter(({ start_hours }) => start_hours < 100)
      const further = { lot_id: 'NEW', lot_type: 'VialE', vials: 100_000 }
      const replan = (from: string) => {
        const request = { from, lots_data: [further], strategy: 'lpt' }
        return planner.post(`/schedule/${id}/replan`, request, { 'idempotency-key': `anew ${id}` })
      }
      const { status, body } = await replan('2025-01-05T12:00:00Z')
      expect([status, body]).toMatchObject([202, { replans: id, strategy: 'lpt-pack' }])
      expect((await replan('2025-01-05T12:00:00Z')).body['id']).toBe(body['id'])
      expect((await replan('2025-01-05T12:00:01Z')).body).toMatchObject({ error: { code: 'idempotency_conflict' } })
      const again = await planner.reached(`/schedule/${String(body['id'])}`)
      expect(again.status).toBe('completed')
      const { activities } = again['result'] as Result
      const frozen = activities.filter((activity) => activity.frozen)
      expect(frozen.slice(0, begun.length).map(({ kind, start_hours }) => [kind, start_hours])).toEqual(
        begun.map(({ kind, start_hours }) => [kind, start_hours]),
      )
      const filled = activities.filter(({ kind }) => kind === 'FILL').map(({ lot_id }) => lot_id)
      expect(new Set(filled).size).toBe(16)
      expect(filled).toContain('NEW')
      const twice = { ...further, lot_id: frozen.find(({ kind }) => kind === 'FILL')?.lot_id }
      const refused = await planner.post(`/schedule/${id}/replan`, { from: '2025-01-05T12:00:00Z', lots_data: [twice] })
      expect(problemsOf(refused)).toMatchObject([{ code: 'duplicate_lot' }])
      const early = await planner.post(`/schedule/${id}/replan`, { from: '2024-12-01T00:00:00Z' })
      expect(early.body).toMatchObject({ error: { code: 'bad_request', field: 'from' } })
    })
  })

  it('leave what has begun on its line and at its time when they are planned anew', async () => {
    const { id } = await planned({ config: { lines: 2 } })
    for (const [field, config] of [
      ['lines', { lines: 1 }],
      ['start', { start: '2025-01-03 08:00' }],
      ['timeZone', { timeZone: 'Asia/Tokyo' }],
    ] as const) {
      const answer = await planner.post(`/schedule/${id}/replan`, { from: '2025-01-04T08:00:00Z', config })
      expect([answer.status, answer.body]).toMatchObject([400, { error: { code: 'invalid_config', field } }])
    }
  })

  it('writes reports of many lots beside everything else', async () => {
    const { id } = await planned({ lots_data: manyLots(301), strategy: 'lpt' })
    const answer = await planner.get<{ text: string }>(`/schedule/${id}/export?format=csv`)
    expect(answer.body.text.split('\n').filter((line) => line.includes('FILL'))).toHaveLength(301)
  })

  it('looks at lots without planning them, and answers 200 whatever is wrong with them', async () => {
    const good = await planner.post('/schedule/validate', csvForm(await exampleCsv()))
    expect([good.status, good.body]).toMatchObject([200, { valid: true, errors: [], lots_count: 15 }])
    const bad = await planner.post('/schedule/validate', { lots_data: [{ lot_id: '', lot_type: 'T', vials: -1 }] })
    expect([bad.status, bad.body]).toMatchObject([
      200,
      { valid: false, errors: [{ code: 'empty_id' }, { code: 'bad_vials' }] },
    ])
    const exact = { lots_data: await exampleLots(), strategy: 'exact', config: { lines: 2 } }
    expect((await planner.post('/schedule/validate', exact)).body).toMatchObject({
      valid: false,
      errors: [{ code: 'unsupported_by_exact', field: 'lines' }],
    })
  })

  it('tells every strategy with its other names', async () => {
    const { body } = await planner.get<{ items: { name: string; aliases: string[]; description: string }[] }>(
      '/strategies',
    )
    expect(body.items.map(({ name }) => name)).toHaveLength(7)
    expect(body.items.find(({ name }) => name === 'exact')?.aliases).toContain('milp-opt')
  })

  it('complains of nothing in its log meanwhile', () => {
    expect(server.log).toEqual([])
  })
})
