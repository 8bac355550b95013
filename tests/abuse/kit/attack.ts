import { Baseline, type Measured, type Tolerance } from './baseline.js'
import { Neighbour } from './neighbour.js'

/** Tables whose entries lapse: what an attack leaves in them goes by itself, so it is looked at when all attacks are over. */
const LAPSING = [
  'records',
  'streams',
  'members',
  'leases',
  'rates',
  'registers',
  'indexes',
  'counters',
  'idempotencyKeys',
]

/** Does something to a node, and asks then whether the well-behaved client beside it noticed, and whether something stayed behind. */
export async function attackBeside<T>(
  neighbour: Neighbour,
  node: Measured,
  attacking: () => Promise<T>,
  tolerance?: Tolerance,
): Promise<T> {
  const baseline = await Baseline.of(node)
  const outcome = await attacking()
  await neighbour.isWell()
  await baseline.restored(tolerance)
  return outcome
}

/** A node and the neighbour on it, for attacks one after the other. */
export class Battlefield<N extends Measured & Parameters<typeof Neighbour.beside>[0]> {
  readonly node: N
  readonly neighbour: Neighbour
  readonly #before: Baseline

  private constructor(node: N, neighbour: Neighbour, before: Baseline) {
    this.node = node
    this.neighbour = neighbour
    this.#before = before
  }

  /** Takes the measure of a node that was just started. */
  static async on<N extends Measured & Parameters<typeof Neighbour.beside>[0]>(node: N): Promise<Battlefield<N>> {
    const neighbour = await Neighbour.beside(node)
    return new Battlefield(node, neighbour, await Baseline.of(node))
  }

  /** One attack: afterwards the neighbour is well and no connection, channel or handle has stayed. What lapses is asked for in `leave`. */
  attack<T>(attacking: () => Promise<T>): Promise<T> {
    return attackBeside(this.neighbour, this.node, attacking, { except: LAPSING })
  }

  /** Asks whether everything is as before all attacks, but for what may have stayed, and the neighbour leaves. */
  async leave(tolerance?: Tolerance): Promise<void> {
    try {
      await this.neighbour.isWell()
      await this.#before.restored(tolerance)
    } finally {
      await this.neighbour.leave()
    }
  }
}
