import type { PlanningProgress } from '../planning/strategy.js'
import type { OutputStream } from './shell.js'

/** One line of a terminal that is written again and again. Elsewhere nothing is written. */
export class ProgressLine {
  readonly #stream: OutputStream
  #isShown = false

  constructor(stream: OutputStream) {
    this.#stream = stream
  }

  show(label: string, progress: PlanningProgress): void {
    if (!this.#stream.isTTY) return
    const room = Math.max(20, (this.#stream.columns ?? 80) - 1)
    this.#stream.write(`\r\u001B[K${[...progressText(label, progress)].slice(0, room).join('')}`)
    this.#isShown = true
  }

  /** Leaves the line empty. */
  clear(): void {
    if (this.#isShown) this.#stream.write('\r\u001B[K')
    this.#isShown = false
  }
}

const BAR_LENGTH = 20

/** `exact ▕██████    ▏ 30 %  4/15 lots  best 497.16 h, no less than 480.00 h`. */
export function progressText(
  label: string,
  { done, total, unit, bestHours, boundHours, message }: PlanningProgress,
): string {
  const share = total > 0 ? Math.min(1, done / total) : 0
  const filled = Math.round(share * BAR_LENGTH)
  const parts = [
    `${label} ▕${'█'.repeat(filled)}${' '.repeat(BAR_LENGTH - filled)}▏ ${Math.floor(share * 100)} %`,
    ...(unit === 'lots' ? [`${done}/${total} lots`] : []),
    ...(bestHours === undefined ? [] : [`best ${bestHours.toFixed(2)} h`]),
    ...(boundHours === undefined ? [] : [`no less than ${boundHours.toFixed(2)} h`]),
    ...(message === undefined ? [] : [message]),
  ]
  return parts.join('  ')
}
