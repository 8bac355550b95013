import { setImmediate } from 'node:timers/promises'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  RawNode,
  SelectQueryNode,
} from 'kysely'
import type Libsql from 'libsql'
import { StoreAwayError } from '../store.js'
import { parametersOf } from './values.js'

/** How long a writer waits for another before those beside it in this process have their turn, in milliseconds; so long the process stands still. */
export const TURN_MS = 10
/** How often a writer has its turn until it fails: five seconds in all. */
const TURNS_MAX = 500

/** Runs statements on the one connection to an embedded file, one transaction after the other. Only what begins a transaction ever waits for other processes: that has done nothing when it has to try again. */
export class LibsqlDriver implements Driver {
  readonly #libsql: Libsql.Database
  /** Resolves when the connection is free again. */
  #free: Promise<void> = Promise.resolve()
  #release: () => void = () => undefined

  constructor(libsql: Libsql.Database) {
    this.#libsql = libsql
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#free
    const { promise, resolve } = withResolver()
    this.#free = promise
    await before
    this.#release = resolve
    return new LibsqlConnection(this.#libsql)
  }

  async releaseConnection(): Promise<void> {
    this.#release()
  }

  async beginTransaction(): Promise<void> {
    await begin(this.#libsql)
  }

  async commitTransaction(): Promise<void> {
    this.#libsql.exec('commit')
  }

  async rollbackTransaction(): Promise<void> {
    if (this.#libsql.inTransaction) this.#libsql.exec('rollback')
  }

  async destroy(): Promise<void> {
    this.#libsql.close()
  }
}

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** Begins as a writer: who began as a reader could not go on behind what another process wrote meanwhile. */
async function begin(libsql: Libsql.Database): Promise<void> {
  for (let turn = 1; ; turn += 1) {
    try {
      return void libsql.exec('begin immediate')
    } catch (error) {
      if (!isBusy(error)) throw error
      if (turn === TURNS_MAX) throw new StoreAwayError(error)
      await setImmediate()
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')
}

class LibsqlConnection implements DatabaseConnection {
  readonly #libsql: Libsql.Database

  constructor(libsql: Libsql.Database) {
    this.#libsql = libsql
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#libsql.inTransaction || !writes(query)) return this.#run(query)
    // A single statement that meets a writer would stay in progress in this version of libsql, and be in the way of every commit.
    await begin(this.#libsql)
    try {
      const result = this.#run<R>(query)
      this.#libsql.exec('commit')
      return result
    } finally {
      if (this.#libsql.inTransaction) this.#libsql.exec('rollback')
    }
  }

  #run<R>({ sql, parameters }: CompiledQuery): QueryResult<R> {
    const values = parametersOf(sql, parameters)
    const statement = this.#libsql.prepare(sql)
    // What comes back has the columns that the query names.
    if (statement.reader) return { rows: statement.all(values) as R[] }
    return { numAffectedRows: BigInt(statement.run(values).changes), rows: [] }
  }

  // oxlint-disable-next-line require-yield -- nothing of ours asks for rows one by one
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('rows cannot be streamed from an embedded file')
  }
}

function writes({ query }: CompiledQuery): boolean {
  return !SelectQueryNode.is(query) && !RawNode.is(query)
}
