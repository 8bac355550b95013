/** Chance, as the client sees it. The system's by default; a simulation brings its own. */
export interface Random {
  /** A number from 0 (inclusive) to 1 (exclusive), for jitter. */
  fraction(): number
  /** Text made of `bytes` random bytes that nobody else will produce, of printable ASCII, for idempotency keys. */
  id(bytes: number): string
}

/** The chance of the machine. */
export const systemRandom: Random = {
  fraction: () => Math.random(),
  id: (bytes) =>
    Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join(''),
}
