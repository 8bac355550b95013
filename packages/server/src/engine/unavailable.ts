/** The state cannot be reached or stored, or did not answer: of what was asked nobody knows whether it was done. */
export class EngineUnavailableError extends Error {
  readonly code = 'engine_unavailable'

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'EngineUnavailableError'
  }
}
