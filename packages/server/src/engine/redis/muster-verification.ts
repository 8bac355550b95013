import type { Random } from '../../random.js'
import type { KnownTop } from './acknowledged-tops.js'
import type { Keys } from './keys.js'
import { VERIFY } from './muster-scripts.js'
import { asList } from './reply.js'
import type { Commands } from './shard.js'

/** Logs that are compared in one step; the server answers nobody else meanwhile. */
const BATCH = 100

/** Steps that are under way at one time. */
const STEPS = 20

/** Bytes of an epoch. */
const EPOCH_BYTES = 8

/** Compares logs with what a node was told of them, and ends those that tell otherwise. Answers the ones that were ended, each with its new epoch. */
export async function verifyTops(
  line: Commands,
  keys: Keys,
  random: Random,
  tops: Iterable<KnownTop>,
  where: { isHere: (key: string) => boolean; isOneSlot: boolean },
): Promise<readonly { stream: string; epoch: string }[]> {
  const here = [...tops].filter(({ stream }) => where.isHere(keys.named(stream).top))
  const steps = portions(here, where.isOneSlot ? 1 : BATCH)
  const ended: { stream: string; epoch: string }[] = []
  for (const together of portions(steps, STEPS))
    for (const found of await Promise.all(together.map((step) => verifyStep(line, keys, random, step))))
      ended.push(...found)
  return ended
}

async function verifyStep(
  line: Commands,
  keys: Keys,
  random: Random,
  tops: readonly KnownTop[],
): Promise<{ stream: string; epoch: string }[]> {
  const candidates = tops.map(({ stream }) => ({ stream, epoch: random.id(EPOCH_BYTES) }))
  const names = tops.flatMap(({ stream }) => {
    const { top, log, live } = keys.named(stream)
    return [top, log, live]
  })
  const args = tops.flatMap(({ epoch, offset, id }, at) => [
    epoch,
    String(offset),
    id,
    `{"id":${JSON.stringify(id)},`,
    candidates[at]?.epoch ?? '',
  ])
  const outcomes = asList(await line.run(VERIFY, names, args))
  return candidates.filter((_, at) => outcomes[at] === 1)
}

function portions<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size))
}
