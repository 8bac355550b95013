import { SECRET_BYTES_MIN } from '../access/token.js'
import { type Environment, strictnessOf } from './environment.js'
import { OptionsError } from './options-error.js'

/** Secrets that stand in tutorials. */
const KNOWN_SECRETS = /^(.)\1*$|secret|password|changeme|change-me|your-|example|12345678901234567890/i

/** @throws OptionsError when a secret is shorter than `bytesMin`, or can be guessed. */
export function checkSecret(
  option: string,
  secret: string,
  environment: Environment,
  bytesMin: number = SECRET_BYTES_MIN,
): void {
  const bytes = Buffer.byteLength(secret)
  if (bytes < bytesMin) throw new OptionsError(`${option} must be at least ${bytesMin} bytes, received ${bytes}`)
  if (strictnessOf(environment) !== 'development' && KNOWN_SECRETS.test(secret)) {
    throw new OptionsError(
      `${option} must not be a known or repeated word in ${environment}; make one with: openssl rand -base64 48`,
    )
  }
}
