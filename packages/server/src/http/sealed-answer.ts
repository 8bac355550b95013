import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Seals text so that nobody opens it but who has the credential, which is kept nowhere. */
export function seal(text: string, credential: string): string {
  const [salt, nonce] = [randomBytes(SALT_BYTES), randomBytes(NONCE_BYTES)]
  const cipher = createCipheriv(CIPHER, keyOf(credential, salt), nonce)
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([salt, nonce, cipher.getAuthTag(), sealed]).toString('base64url')
}

/** The text that was sealed with this credential; undefined for another. */
export function unseal(sealed: string, credential: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url')
  const [salt, rest] = [bytes.subarray(0, SALT_BYTES), bytes.subarray(SALT_BYTES)]
  const [nonce, tagged] = [rest.subarray(0, NONCE_BYTES), rest.subarray(NONCE_BYTES)]
  const decipher = createDecipheriv(CIPHER, keyOf(credential, salt), nonce)
  try {
    decipher.setAuthTag(tagged.subarray(0, TAG_BYTES))
    return Buffer.concat([decipher.update(tagged.subarray(TAG_BYTES)), decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

function keyOf(credential: string, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', credential, salt, 'holdfast http answer', KEY_BYTES))
}
