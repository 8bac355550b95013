import { CamelCasePlugin, Kysely, type PostgresPool, type PostgresPoolClient, PostgresDialect } from 'kysely'
import { DatabaseError, Pool, type PoolClient } from 'pg'
import { StoreAwayError } from '../store.js'
import { type Database, undisturbed } from './database.js'
import type { Tables } from './tables.js'
import { parametersOf } from './values.js'

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

/** It shuts down, has crashed, starts, has no connection left: what PostgreSQL says of itself where others would say nothing. */
const AWAY = ['57P01', '57P02', '57P03', '53300']

/** Connects to PostgreSQL when first asked, and anew when connections were lost. `url` as `psql` takes it, TLS (`sslmode`, `sslrootcert`) included. */
export function openPostgres(url: string, answerTimeoutMs: number = ANSWER_TIMEOUT_MS): Database {
  const pool = new Pool({
    connectionString: url,
    application_name: 'fill-scheduler',
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
  })
  // Who used a connection that broke is told by the answer; the pool opens others. Without listeners these would end the process.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => void client.on('error', () => undefined))
  return {
    db: new Kysely<Tables>({ dialect: new PostgresDialect({ pool: careful(pool) }), plugins: [new CamelCasePlugin()] }),
    kind: 'postgres',
    isConflict,
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof DatabaseError && CONFLICTS.includes(error.code ?? '')
}

/** A pool that gives no connection to anybody else that has not answered: what comes next would wait behind what never ends. */
function careful(pool: Pool): PostgresPool {
  const connect = async (): Promise<PoolClient> => {
    try {
      return await pool.connect()
    } catch (error) {
      throw isAway(error) ? new StoreAwayError(error) : error
    }
  }
  return { connect: async () => carefulClient(await connect()), end: () => pool.end() }
}

/** Whether nobody is there; errors that are not a database's do not come from the server. */
function isAway(error: unknown): boolean {
  return !(error instanceof DatabaseError) || AWAY.includes(error.code ?? '')
}

function carefulClient(client: PoolClient): PostgresPoolClient {
  let broken: Error | undefined
  const ask = async (sql: string, parameters: readonly unknown[]): Promise<unknown> => {
    if (broken) throw broken
    const values = parametersOf(sql, parameters)
    try {
      const send = (): Promise<unknown> => client.query(sql, values)
      // A statement without a transaction around it is one: a deletion takes the rows of many tables, and may meet others there.
      return await (client.getTransactionStatus() === 'I' ? undisturbed(isConflict, send) : send())
    } catch (error) {
      if (!isAway(error)) throw error
      broken = new StoreAwayError(error)
      throw broken
    }
  }
  return { query: ask as PostgresPoolClient['query'], release: () => client.release(broken) }
}
