import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStore } from './open-store.js'
import { openPostgres } from './sql/postgres.js'
import { StoreAwayError } from './store.js'
import { describeStore } from './testing/conformance.js'
import { PostgresServer } from './testing/postgres-server.js'
import { addSchedule, claim, completed, userOf } from './testing/samples.js'

let server: PostgresServer
/** A place that each test of the suite finds empty. */
let shared: string

beforeAll(async () => {
  server = await PostgresServer.start()
  shared = await server.newPlace()
})
afterAll(() => server.end())

describeStore('PostgreSQL', async () => {
  const again = () => openStore({ url: shared })
  return { store: await again(), again, end: async () => void (await server.query('truncate users cascade', shared)) }
})

describe('the PostgreSQL store', () => {
  it('is made once when several are the first, whatever other schemas of the database hold', async () => {
    const places = [await server.newPlace(), await server.newPlace()]
    const stores = await Promise.all([...places, ...places, ...places].map((url) => openStore({ url })))
    await Promise.all(stores.map((store) => store.migrate()))
    expect(await stores[0]?.users.create(userOf('ada'))).toBe(true)
    expect(await stores[1]?.users.create(userOf('ada'))).toBe(true)
    expect(await stores[2]?.users.create(userOf('ada'))).toBe(false)
    await Promise.all(stores.map((store) => store.close()))
  })

  it('goes on when the server was started again, with all that was acknowledged', async () => {
    const store = await openStore({ url: await server.newPlace() })
    await store.migrate()
    await store.users.create(userOf('ada'))
    await addSchedule(store, { id: 's1', userId: 'ada' })
    await claim(store, 'runner')
    // Several connections, all of which break.
    await Promise.all(Array.from({ length: 8 }, () => store.ping()))
    await server.stop()
    await expect(store.ping()).rejects.toThrow(StoreAwayError)
    await expect(store.runs.finish('run-s1', 'runner', completed(40))).rejects.toThrow(StoreAwayError)
    await server.begin()
    await store.ping()
    expect(await store.runs.finish('run-s1', 'runner', completed(40))).toBe(true)
    expect(await store.schedules.get('ada', 's1')).toMatchObject({
      status: 'completed',
      result: { strategy: 'smart-pack' },
    })
    await store.close()
  })

  it('gives nobody else a connection that does not answer', async () => {
    const { db } = openPostgres(server.url(), 300)
    const asked = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)
    const pid = asked.rows[0]?.pid ?? 0
    process.kill(pid, 'SIGSTOP')
    try {
      await expect(db.transaction().execute((transaction) => sql`select 1`.execute(transaction))).rejects.toThrow(
        'timeout',
      )
      const other = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)
      expect(other.rows[0]?.pid).not.toBe(pid)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await db.destroy()
  })

  it('does again what was undone because of another transaction, be it one statement or several', async () => {
    const url = await server.newPlace()
    const store = await openStore({ url })
    await store.migrate()
    await store.users.create(userOf('ada'))
    await addSchedule(store, { id: 's1', userId: 'ada' })
    await claim(store, 'runner')
    await server.query(disturbance('users', 'delete', '40P01'), url)
    await server.query(disturbance('runs', 'update', '40001'), url)
    expect(await store.runs.finish('run-s1', 'runner', completed(40))).toBe(true)
    expect(await store.schedules.status('ada', 's1')).toBe('completed')
    expect(await store.users.delete('ada')).toBe(0)
    expect(await store.users.byId('ada')).toBeUndefined()
    await store.close()
  })

  it('takes as many connections as it is bounded to, however much is asked at once', async () => {
    const url = await server.newPlace()
    const store = await openStore({ url })
    await store.migrate()
    await store.users.create(userOf('ada'))
    await Promise.all(Array.from({ length: 60 }, (_, n) => addSchedule(store, { id: `s${n}`, userId: 'ada' })))
    const [row] = await server.query(
      "select count(*)::int as number from pg_stat_activity where application_name = 'fill-scheduler' and datname = current_database()",
      url,
    )
    expect(row?.['number']).toBeLessThanOrEqual(10)
    expect((await store.schedules.list('ada', { page: 1, pageSize: 1 })).total).toBe(60)
    await store.close()
  })

  it('speaks TLS as the address says, with nobody but who shows the right certificate', async () => {
    const store = await openStore({ url: `${server.url()}?sslmode=verify-full&sslrootcert=${server.certificate}` })
    await store.ping()
    const [row] = await server.query(
      "select count(*)::int as number from pg_stat_ssl join pg_stat_activity using (pid) where ssl and application_name = 'fill-scheduler'",
    )
    expect(row?.['number']).toBe(1)
    await store.close()
    const stranger = await openStore({ url: `${server.url()}?sslmode=verify-full` })
    await expect(stranger.ping()).rejects.toThrow('self-signed certificate')
    await stranger.close()
  })
})

/** A trigger by which the first two changes of a table fail as those do that others are in the way of. */
function disturbance(table: string, change: 'delete' | 'update', code: string): string {
  const name = `disturb_${table}`
  return `create sequence ${name}_times;
    create function ${name}() returns trigger language plpgsql as $$ begin
      if nextval('${name}_times') < 3 then raise exception 'in the way' using errcode = '${code}'; end if;
      return ${change === 'delete' ? 'old' : 'new'};
    end $$;
    create trigger ${name} before ${change} on ${table} for each row execute function ${name}()`
}
