import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../clock.js'
import { signWebhook, verifyWebhook } from './signature.js'

const SECRET = 'a-webhook-key-of-thirty-two-bytes'
const AT = 1_763_700_000_999
const BODY = '{"type":"subscribe","user":"ädá"}'
const HEADER = signWebhook(SECRET, BODY, AT)

const verify = (header: string | null | undefined, body: string | Uint8Array = BODY, now = AT): boolean =>
  verifyWebhook(SECRET, header, body, { now })

describe('the signature of a webhook', () => {
  it('is the time in seconds and an HMAC of time, point and body', () => {
    const mac = createHmac('sha256', SECRET).update(`1763700000.${BODY}`).digest('hex')
    expect(HEADER).toBe(`t=1763700000,v1=${mac}`)
  })

  it('is believed, of text and of bytes', () => {
    expect(verify(HEADER)).toBe(true)
    expect(verify(HEADER, Buffer.from(BODY))).toBe(true)
    expect(verify(HEADER.replace(',', ', '))).toBe(true)
  })

  it('is compared with the clock of the machine when no time is given', () => {
    expect(verifyWebhook(SECRET, signWebhook(SECRET, BODY, systemClock.now()), BODY)).toBe(true)
    expect(verifyWebhook(SECRET, HEADER, BODY)).toBe(false)
  })

  it('is believed five minutes long, or as long as the receiver says', () => {
    const seconds = 1_763_700_000_000
    expect(verify(HEADER, BODY, seconds + 300_000)).toBe(true)
    expect(verify(HEADER, BODY, seconds + 300_001)).toBe(false)
    expect(verify(HEADER, BODY, seconds - 300_001)).toBe(false)
    expect(verifyWebhook(SECRET, HEADER, BODY, { now: seconds + 11_000, toleranceSeconds: 10 })).toBe(false)
    expect(verifyWebhook(SECRET, HEADER, BODY, { now: seconds + 900_000, toleranceSeconds: 900 })).toBe(true)
  })

  it('is believed of either secret while one takes the place of the other', () => {
    const other = 'another-key-of-more-than-32-bytes!'
    expect(verifyWebhook([other, SECRET], HEADER, BODY, { now: AT })).toBe(true)
    expect(verifyWebhook([other], HEADER, BODY, { now: AT })).toBe(false)
    const both = `${signWebhook(other, BODY, AT)},${HEADER.split(',')[1]}`
    expect(verify(both)).toBe(true)
  })

  it.each<[string, string | null | undefined]>([
    ['none', undefined],
    ['none, as fetch says it', null],
    ['empty', ''],
    ['no time', HEADER.split(',')[1]],
    ['no signature', HEADER.split(',')[0]],
    ['two times', `t=1763700001,${HEADER}`],
    ['another time', HEADER.replace('1763700000', '1763700001')],
    ['a time that is no number', HEADER.replace('1763700000', '0x6920')],
    ['a signature cut short', HEADER.slice(0, -2)],
    ['a signature in capitals', HEADER.replace(/v1=.*/, (mac) => `v1=${mac.slice(3).toUpperCase()}`)],
    ['a signature of zeros', `t=1763700000,v1=${'0'.repeat(64)}`],
    ['a scheme of another name', HEADER.replace('v1=', 'v0=')],
    ['a very long one', `${HEADER},${'x'.repeat(2_000)}`],
  ])('is not believed when it is %s', (_, header) => expect(verify(header)).toBe(false))

  it.each([`${BODY} `, BODY.slice(1), BODY.replace('ä', 'a'), ''])('is not believed for the body %j', (body) =>
    expect(verify(HEADER, body)).toBe(false),
  )

  it('is not believed for the body of another secret, and no secret is an error', () => {
    expect(verify(signWebhook(`${SECRET}!`, BODY, AT))).toBe(false)
    expect(() => verifyWebhook('', HEADER, BODY)).toThrow('secret must be text')
    expect(() => verifyWebhook([], HEADER, BODY)).toThrow('secret must be text')
  })
})
