/** Chance, as the client sees it. The system's by default; a simulation brings its own. */
export interface Random {
  /** A number from 0 (inclusive) to 1 (exclusive), for jitter. */
  fraction(): number
  /** Text that nobody else will produce, of printable ASCII, for idempotency keys. */
  id(): string
}

/** The chance of the machine. */
export const systemRandom: Random = {
  fraction: () => Math.random(),
  id: () => crypto.getRandomValues(new Uint32Array(4)).join('-'),
}
