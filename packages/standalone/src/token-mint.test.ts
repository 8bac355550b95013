import { expect, it } from 'vitest'
import { createTokenMint } from './token-mint.js'

const SECRET = 'kT9v3Qz1rW8uYb5nXe2sLd7fHj4gMp6aCw0iOqRtEyU'
const ada = { tenant: 'acme', user: 'ada', ttlSeconds: 60 }

it('makes tokens with the issuer and the audience that the server asks for', () => {
  const token = createTokenMint(SECRET, { issuer: 'https://issuer.example', audience: 'holdfast' })(ada)
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object
  expect(claims).toMatchObject({ tenant: 'acme', sub: 'ada', iss: 'https://issuer.example', aud: 'holdfast' })
})

it('makes none for a user that has no name, and none where claims have other names', () => {
  expect(() => createTokenMint(SECRET, {})({ ...ada, user: '' })).toThrow('user must be')
  expect(() => createTokenMint(SECRET, { claims: { user: 'uid' } })(ada)).toThrow('auth.claims')
})
