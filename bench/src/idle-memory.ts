import type { CandidateName } from './candidates/candidate.js'
import type { Child } from './child.js'
import { pause } from './clock.js'
import type { RunOptions } from './options.js'
import { startGenerator, startServer } from './processes.js'
import type { GeneratorRequests, MemoryFigures, ServerRequests } from './requests.js'

/** Connections that come and go first, so that what a server loads and compiles for its first clients is not counted. */
const WARM_UP_CONNECTIONS = 200
/** After the last of them has left, and after all have come. */
const SETTLE_MS = 1500

/** The memory of one candidate. */
export interface MemoryRow {
  readonly candidate: CandidateName
  readonly connections: number
  readonly empty: MemoryFigures
  readonly full: MemoryFigures
  /** Resident bytes per connection. */
  readonly residentBytesEach: number
  /** Bytes per connection on the JavaScript heap. */
  readonly heapBytesEach: number
}

/**
 * Resident memory per idle connection that is authenticated and holds two subscriptions; candidates one after the other, each
 * in a fresh process.
 *
 * @throws Error when a server or one of its connections gives up.
 */
export async function measureIdleMemory(options: RunOptions, note: (line: string) => void): Promise<MemoryRow[]> {
  const rows: MemoryRow[] = []
  for (const candidate of options.candidates) {
    note(`${candidate}: ${options.effort.idleConnections} idle connections`)
    rows.push(await measureOne(candidate, options))
  }
  return rows
}

async function measureOne(candidate: CandidateName, { effort, profileFolder }: RunOptions): Promise<MemoryRow> {
  const generator = await startGenerator()
  const server = await startServer(candidate, profileFolder)
  try {
    const at = { candidate, port: server.port, generator, process: server.process }
    await come(at, WARM_UP_CONNECTIONS)
    await generator.ask('disperse', { candidate })
    const empty = await settledMemory(server.process)
    await come(at, effort.idleConnections)
    const full = await settledMemory(server.process)
    await generator.ask('disperse', { candidate })
    return rowOf(candidate, effort.idleConnections, empty, full)
  } finally {
    await Promise.all([generator.end(), server.process.end()])
  }
}

async function come(
  { candidate, port, generator }: { candidate: CandidateName; port: number; generator: Child<GeneratorRequests> },
  size: number,
): Promise<void> {
  await generator.ask('gather', { candidate, port, size, layout: 'two-channels' })
}

async function settledMemory(process: Child<ServerRequests>): Promise<MemoryFigures> {
  await pause(SETTLE_MS)
  return process.ask('memory', null)
}

function rowOf(candidate: CandidateName, connections: number, empty: MemoryFigures, full: MemoryFigures): MemoryRow {
  return {
    candidate,
    connections,
    empty,
    full,
    residentBytesEach: (full.residentBytes - empty.residentBytes) / connections,
    heapBytesEach: (full.heapBytes - empty.heapBytes) / connections,
  }
}
