import { CANDIDATES } from './candidates/catalogue.js'
import { CANDIDATE_NAMES } from './candidates/candidate.js'
import { pause } from './clock.js'
import { type Answer, type MemoryFigures, type ServerRequests, answerRequests } from './requests.js'
import { Workshop } from './workshop.js'

const COLLECTIONS = 4

const name = CANDIDATE_NAMES.find((candidate) => candidate === process.argv[2])
if (name === undefined) throw new Error(`the candidate must be one of ${CANDIDATE_NAMES.join(', ')}`)

const server = await CANDIDATES[name].start()
const workshop = new Workshop(server)
answerRequests<ServerRequests>(
  {
    cpu: cpuMicroseconds,
    memory: settledMemory,
    begin: ({ pieces, way }) => workshop.begin(pieces, way),
    report: ({ perSecond, durationMs }) => workshop.report(perSecond, durationMs),
    end: () => workshop.end(),
  },
  () => process.exit(),
)
process.send?.({ number: 0, output: server.port } satisfies Answer)

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Several collections with pauses: a connection's parts are freed by finalisers that only run between them. */
async function settledMemory(): Promise<MemoryFigures> {
  if (globalThis.gc === undefined) throw new Error('memory is measured under --expose-gc')
  for (let round = 0; round < COLLECTIONS; round++) {
    await globalThis.gc({ execution: 'async', type: 'major' })
    await pause(250)
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  return { residentBytes: rss, heapBytes: heapUsed, externalBytes: external }
}
