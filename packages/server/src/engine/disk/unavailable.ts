/** The disk cannot store now; of what was asked nobody knows whether it will be found later. */
export class DiskUnavailable extends Error {
  readonly code = 'engine_unavailable'

  constructor(problem: string) {
    super(problem)
    this.name = 'DiskUnavailable'
  }
}
