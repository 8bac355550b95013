import { createHmac } from 'node:crypto'
import { systemClock } from '../clock.js'
import { isSame } from '../same-bytes.js'

/** The header that carries a signature: `t=<unix seconds>,v1=<hexadecimal HMAC-SHA256 of "t.body">`. */
export const SIGNATURE_HEADER = 'Holdfast-Signature'

/** The header that carries the id of a delivery: another for each webhook, the same when one is sent again. */
export const DELIVERY_HEADER = 'Holdfast-Delivery'

/** How old or how far ahead a signature may be when a receiver does not say, in seconds. */
const TOLERANCE_SECONDS = 300

/** Longer headers are not read: a signature and a few more for secrets that rotate. */
const HEADER_LENGTH_MAX = 1_024

/** The value of `Holdfast-Signature` for a body that is sent at `atMs`, milliseconds since 1970. */
export function signWebhook(secret: string, body: string, atMs: number): string {
  const seconds = Math.floor(atMs / 1_000)
  return `t=${seconds},v1=${macOf(secret, String(seconds), body).toString('hex')}`
}

/** How strict a receiver is. */
export interface VerifyWebhookOptions {
  /** How old, or how far ahead, a signature may be (default 300). */
  readonly toleranceSeconds?: number
  /** Milliseconds since 1970 (default: the clock of the machine). */
  readonly now?: number
}

/**
 * Whether a webhook was sent by who knows the secret, and just now. `body` is what arrived, byte for byte: not what a parser made of it. Several secrets are for
 * the time in which one takes the place of another. Compares in constant time; never throws for what a sender could have written.
 *
 * @throws RangeError when a secret is empty.
 */
export function verifyWebhook(
  secret: string | readonly string[],
  header: string | null | undefined,
  body: string | Uint8Array,
  { toleranceSeconds = TOLERANCE_SECONDS, now = systemClock.now() }: VerifyWebhookOptions = {},
): boolean {
  const secrets = typeof secret === 'string' ? [secret] : secret
  if (secrets.length === 0 || secrets.includes('')) throw new RangeError('secret must be text, received nothing')
  const read = readHeader(header)
  // Written so that a tolerance that is no number accepts nothing.
  const isFresh = read !== undefined && Math.abs(now / 1_000 - Number(read.seconds)) <= toleranceSeconds
  if (!isFresh) return false
  const wanted = secrets.map((one) => macOf(one, read.seconds, body))
  // All are compared, so that the time says nothing of which one fits.
  return read.macs.flatMap((mac) => wanted.map((one) => isSame(mac, one))).includes(true)
}

function readHeader(header: string | null | undefined): { seconds: string; macs: Buffer[] } | undefined {
  if (typeof header !== 'string' || header.length > HEADER_LENGTH_MAX) return undefined
  const parts = header.split(',').map((part) => part.trim())
  const [time, ...more] = parts.filter((part) => part.startsWith('t='))
  const seconds = /^t=(\d{1,12})$/.exec(time ?? '')?.[1]
  if (seconds === undefined || more.length > 0) return undefined
  const macs = parts.map((part) => /^v1=([0-9a-f]{64})$/.exec(part)?.[1]).filter((mac) => mac !== undefined)
  return { seconds, macs: macs.map((mac) => Buffer.from(mac, 'hex')) }
}

function macOf(secret: string, seconds: string, body: string | Uint8Array): Buffer {
  return createHmac('sha256', secret).update(`${seconds}.`).update(body).digest()
}
