/** How much there was in the last second. */
export class RateMeter {
  #second = 0
  #count = 0
  #before = 0

  add(amount: number, now: number): void {
    this.#turn(now)
    this.#count += amount
  }

  /** The last second, taken from this one and as much of the one before as is missing. */
  perSecond(now: number): number {
    this.#turn(now)
    const part = (now % 1_000) / 1_000
    return Math.round(this.#count + this.#before * (1 - part))
  }

  #turn(now: number): void {
    const second = Math.floor(now / 1_000)
    if (second === this.#second) return
    this.#before = second === this.#second + 1 ? this.#count : 0
    this.#count = 0
    this.#second = second
  }
}
