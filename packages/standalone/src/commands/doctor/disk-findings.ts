import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '../../clock.js'
import { describeError } from '../../failure.js'
import { formatBytes, formatDuration } from '../../quantity.js'
import { type Finding, fail, ok, warn } from './finding.js'

const SPACE_BYTES_MIN = 536_870_912
const SLOW_SYNC_MS = 50

/** Looks at the directory that the disk engine has its files in, and at the one around it. */
export async function diskFindings(engineDirectory: string, clock: Clock): Promise<readonly Finding[]> {
  const check = 'disk'
  const directory = dirname(engineDirectory)
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const syncMs = await timeOfSync(join(directory, `doctor-${randomUUID()}`), clock)
    const { bavail, bsize } = await statfs(directory)
    return [
      ok(check, `${directory} can be written`),
      syncFinding(syncMs),
      spaceFinding(bavail * bsize),
      ...(await fileFindings(engineDirectory, clock)),
    ]
  } catch (error) {
    return [
      fail(
        check,
        `${directory} cannot be written: ${describeError(error)}`,
        'Name another with HOLDFAST_DATA_DIR, or give this user the right to write it',
      ),
    ]
  }
}

async function timeOfSync(path: string, clock: Clock): Promise<number> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.write('doctor')
    const begunAt = clock.now()
    await file.sync()
    return clock.now() - begunAt
  } finally {
    await file.close()
    await rm(path, { force: true })
  }
}

function syncFinding(ms: number): Finding {
  if (ms <= SLOW_SYNC_MS) return ok('disk sync', `${ms} ms`)
  return warn(
    'disk sync',
    `${ms} ms until a write is safe`,
    'Use a disk of its own, or one that is nearer: every publish waits for it',
  )
}

function spaceFinding(bytes: number): Finding {
  if (bytes >= SPACE_BYTES_MIN) return ok('disk space', `${formatBytes(bytes)} free`)
  return warn('disk space', `${formatBytes(bytes)} free`, 'Make room: a full disk refuses messages')
}

/** What the engine has stored there; nothing where it never ran. */
async function fileFindings(directory: string, clock: Clock): Promise<readonly Finding[]> {
  const files = await filesOf(directory)
  const ofKind = (ending: string): readonly StoredFile[] => files.filter(({ name }) => name.endsWith(ending))
  const segments = ofKind('.log')
  if (segments.length === 0) return []
  const sum = segments.reduce((bytes, { size }) => bytes + size, 0)
  const snapshot = ofKind('.state').at(-1)
  const storedAt = Math.max(...segments.map(({ changedAt }) => changedAt))
  const parts = [
    `${formatBytes(sum)} in ${segments.length === 1 ? 'a file' : `${segments.length} files`}`,
    ...(snapshot === undefined ? [] : [`a snapshot of ${formatBytes(snapshot.size)}`]),
    `stored ${formatDuration(Math.max(0, clock.now() - storedAt) / 1_000)} ago`,
  ]
  return [ok('disk journal', parts.join(', ')), ...damageFindings(ofKind('.damaged'))]
}

function damageFindings([first, ...others]: readonly StoredFile[]): readonly Finding[] {
  if (first === undefined) return []
  const more = others.length === 0 ? '' : ` and ${others.length} more`
  const remedy = 'Look at the disk, and for disk.lost in the log of the server; then remove what is damaged'
  return [warn('disk damage', `${first.name}${more} was found damaged, and set aside`, remedy)]
}

interface StoredFile {
  readonly name: string
  readonly size: number
  /** In milliseconds since 1970. */
  readonly changedAt: number
}

/** In order of their names. A server that runs may remove one while they are looked at. */
async function filesOf(directory: string): Promise<readonly StoredFile[]> {
  const names = await readdir(directory).catch((): string[] => [])
  const files = await Promise.all(
    names.toSorted().map(async (name) => {
      const found = await stat(join(directory, name)).catch(() => undefined)
      return found && { name, size: found.size, changedAt: found.mtimeMs }
    }),
  )
  return files.filter((file) => file !== undefined)
}
