import { CANDIDATES } from './candidates/catalogue.js'
import { type CandidateName, workChannel } from './candidates/candidate.js'
import { Crowd } from './crowd.js'
import { runSlice } from './load.js'
import { type Answer, type CrowdLayout, type GeneratorRequests, answerRequests } from './requests.js'

/** The channel of a crowd that shares one. */
const SHARED_CHANNEL = 'room:all'
/** Connections that share the second channel of a crowd with two. */
const ROOM_SIZE = 50
/** Connections that watch the same work. */
const WATCHERS_EACH = 5

const CHANNELS_OF: Record<CrowdLayout, (number: number) => readonly string[]> = {
  'one-channel': () => [SHARED_CHANNEL],
  operations: (number) => [workChannel(Math.floor(number / WATCHERS_EACH))],
  'two-channels': (number) => [SHARED_CHANNEL, `room:${Math.floor(number / ROOM_SIZE)}`],
}

const crowds = new Map<CandidateName, Crowd>()

answerRequests<GeneratorRequests>(
  {
    async gather({ candidate, port, size, layout }) {
      const channelsOf = CHANNELS_OF[layout]
      const mayBeHeldBack = layout === 'operations'
      const { dialect } = CANDIDATES[candidate]
      crowds.set(candidate, await Crowd.gather({ port, dialect, size, channelsOf, mayBeHeldBack }))
      return null
    },
    slice({ candidate, k, durationMs }) {
      return runSlice(crowdOf(candidate), { channel: SHARED_CHANNEL, k, durationMs })
    },
    caughtUp({ candidate, sequence }) {
      return crowdOf(candidate).missing(sequence)
    },
    disperse({ candidate }) {
      const crowd = crowdOf(candidate)
      crowds.delete(candidate)
      crowd.disperse()
      crowd.assertWhole()
      return null
    },
  },
  () => process.exit(),
)
process.send?.({ number: 0 } satisfies Answer)

function crowdOf(candidate: CandidateName): Crowd {
  const crowd = crowds.get(candidate)
  if (crowd === undefined) throw new Error(`no crowd at ${candidate}`)
  return crowd
}
