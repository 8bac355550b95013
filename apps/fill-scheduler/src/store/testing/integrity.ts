import Libsql from 'libsql'

/** What an embedded file is found to be by itself, page by page: `ok`, or what is broken. */
export function integrityOf(file: string): unknown {
  const database = new Libsql(file)
  try {
    return database
      .prepare('pragma integrity_check')
      .all()
      .map((row) => Object.values(row as object)[0] as unknown)
  } finally {
    database.close()
  }
}
