import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely'
import { Pool } from 'pg'
import type { Database } from './database.js'
import type { Tables } from './tables.js'

/** Connections of one process at most. */
const CONNECTIONS_MAX = 10
/** How long a request waits for a connection. */
const CONNECT_TIMEOUT_MS = 10_000
/** How long a statement may take, and how long a transaction may do nothing. */
const STATEMENT_TIMEOUT_MS = 30_000
/** How long to wait for an answer that does not come: the server, or what is between, may be gone. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 5_000

/** Serialization failure and deadlock: the server undid the transaction. */
const CONFLICTS = ['40001', '40P01']

/** Connects to PostgreSQL when first asked, and anew when connections were lost. `url` as `psql` takes it, TLS (`sslmode`, `sslrootcert`) included. */
export function openPostgres(url: string): Database {
  const pool = new Pool({
    connectionString: url,
    application_name: 'fill-scheduler',
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    keepAlive: true,
  })
  // Who used a connection that broke is told by the answer; the pool opens others. Without listeners these would end the process.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => void client.on('error', () => undefined))
  return {
    db: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }), plugins: [new CamelCasePlugin()] }),
    kind: 'postgres',
    isConflict: (error) => error instanceof Error && 'code' in error && CONFLICTS.includes(String(error.code)),
  }
}
