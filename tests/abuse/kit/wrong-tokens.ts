import { deflateRawSync } from 'node:zlib'
import { SECRET } from './attacked-node.js'
import {
  encodePart,
  forge,
  goodClaims,
  jwkOf,
  keySigner,
  pemOf,
  resign,
  respell,
  seconds,
  secretSigner,
} from './forge.js'
import { ISSUERS, SECRETS, type TokenIssuers } from './token-issuers.js'

/** What is wrong with a token, and the token: by the case that it belongs to. */
export type WrongTokens = Readonly<Record<string, Readonly<Record<string, () => string>>>>

const ATTACKER = 'attacker-attacker-attacker-attacker'

/** Tokens of which each has one thing wrong; all else is as it has to be. `canary` is where nobody must ask. */
export function wrongTokens(by: TokenIssuers, canary: string): WrongTokens {
  const signed = secretSigner(SECRET)
  const plain = (claims: object = {}, header: object = {}): string => by.plain(claims, header)
  const headed = (header: object): string => by.plain({}, header)
  /** A claim whose text JSON.stringify would not write. */
  const claimText = (name: string, text: string): string =>
    forge({ alg: 'HS256' }, JSON.stringify(goodClaims({ [name]: '@' })).replace('"@"', text), signed)
  const raw = (header: unknown, claims: unknown = goodClaims()): string => forge(header, claims, signed)
  const parts = (): [string, string, string] => plain().split('.') as [string, string, string]
  const withParts = (make: (head: string, body: string, mac: string) => string) => (): string => make(...parts())
  const brought = (member: object, key = by.foreign): string =>
    by.rsa({}, { ...member, kid: undefined }, keySigner('RS256', key.privateKey))

  return {
    'T-050': {
      'asks for alg none': () => headed({ alg: 'none' }),
      'asks for alg None': () => headed({ alg: 'None' }),
      'asks for alg NONE': () => headed({ alg: 'NONE' }),
      'asks for alg nOnE': () => headed({ alg: 'nOnE' }),
      'asks for alg none and has no signature': withParts((_, body) => `${encodePart({ alg: 'none' })}.${body}.`),
      'asks for alg None and has no signature': withParts((_, body) => `${encodePart({ alg: 'None' })}.${body}.`),
      'asks for alg none with a signature of one character': withParts(
        (_, body) => `${encodePart({ alg: 'none' })}.${body}.A`,
      ),
      'asks for no algorithm with a space': () => headed({ alg: 'none ' }),
      'asks for alg empty': () => headed({ alg: '' }),
      'asks for alg null': () => headed({ alg: null }),
      'asks for alg 0': () => headed({ alg: 0 }),
      'asks for a list of algorithms': () => headed({ alg: ['HS256'] }),
      'asks for an object as algorithm': () => headed({ alg: { HS256: true } }),
      'asks for hs256 in small letters': () => headed({ alg: 'hs256' }),
      'asks for HS256 with NUL': () => headed({ alg: 'HS256\0' }),
      'asks for HS1': () => headed({ alg: 'HS1' }),
      'asks for an algorithm that every object has': () => headed({ alg: 'constructor' }),
      'asks for __proto__ as algorithm': () => headed({ alg: '__proto__' }),
      'asks for an algorithm of encryption': () => headed({ alg: 'dir' }),
      'has no alg': () => raw({ typ: 'JWT' }),
      'has its alg on a prototype': () => raw('{"__proto__":{"alg":"HS256"}}'),
      'has two parts': withParts((head, body) => `${head}.${body}`),
      'has an empty signature': withParts((head, body) => `${head}.${body}.`),
      'has one part': withParts((head) => head),
      'is dots alone': () => '..',
      'is no token': () => 'hello',
    },
    'T-051': {
      'is signed with a public RSA key as secret': () => by.rsa({}, { alg: 'HS256' }, secretSigner(pemOf(by.rs256))),
      'is signed with the trimmed public key as secret': () =>
        by.rsa({}, { alg: 'HS256' }, secretSigner(pemOf(by.rs256).trim())),
      'is signed with the public key in DER as secret': () =>
        by.rsa(
          {},
          { alg: 'HS256' },
          secretSigner(by.rs256.publicKey.export({ type: 'spki', format: 'der' }) as Buffer),
        ),
      'is signed with the modulus as secret': () =>
        by.rsa({}, { alg: 'HS256' }, secretSigner(Buffer.from(String(jwkOf(by.rs256)['n']), 'base64url'))),
      'is signed with a public key as secret, named by no key': () =>
        by.rsa({}, { alg: 'HS256', kid: undefined }, secretSigner(pemOf(by.rs256))),
      'is signed with a point of a curve as secret': () =>
        forge({ alg: 'HS256', kid: 'e256' }, goodClaims({ iss: ISSUERS.curves }), secretSigner(pemOf(by.es256))),
      'asks for PS256 with a key for RS256': () =>
        by.rsa({}, { alg: 'PS256' }, keySigner('PS256', by.rs256.privateKey)),
      'asks for RS256 with a key for PS256': () => by.rsa({}, { kid: 'p1' }, keySigner('RS256', by.ps256.privateKey)),
      'asks for RS256 but is signed as PS256': () => by.rsa({}, {}, keySigner('PS256', by.rs256.privateKey)),
      'asks for RS384 with a key for RS256': () =>
        by.rsa({}, { alg: 'RS384' }, keySigner('RS384', by.rs256.privateKey)),
      'asks for RS512 with a key for RS256': () =>
        by.rsa({}, { alg: 'RS512' }, keySigner('RS512', by.rs256.privateKey)),
      'asks for the other key of the same issuer': () => by.rsa({}, { kid: 'p1', alg: 'PS256' }),
      'asks for HS384 with a secret for HS256': () => forge({ alg: 'HS384' }, goodClaims(), secretSigner(SECRET, 384)),
      'asks for HS512 with a secret for HS256': () => forge({ alg: 'HS512' }, goodClaims(), secretSigner(SECRET, 512)),
      'asks for HS256 with a secret for HS384': () => by.secret({ kid: 'h384' }, secretSigner(SECRETS.hs384)),
      'asks for HS384 with the secret for HS512': () =>
        by.secret({ alg: 'HS384', kid: 'h512' }, secretSigner(SECRETS.hs512, 384)),
      'asks for ES384 with a key for ES256': () => by.curve('ES384', by.es256, { kid: 'e256' }),
      'asks for ES256 with a key for ES384': () => by.curve('ES256', by.es384, { kid: 'e384' }),
      'asks for ES256K': () => by.curve('ES256', by.es256, { alg: 'ES256K', kid: 'e256' }),
      'asks for Ed25519 where EdDSA was set up': () => by.curve('EdDSA', by.eddsa, { alg: 'Ed25519' }),
      'asks for EdDSA with a key for ES256': () => by.curve('ES256', by.es256, { alg: 'EdDSA' }),
      'asks for RS256 where there is a secret': () =>
        forge({ alg: 'RS256' }, goodClaims(), keySigner('RS256', by.foreign.privateKey)),
      'has a signature of a curve in DER': () =>
        resign(by.curve('ES256', by.es256, { kid: 'e256' }), (content) => derSignature(by, content)),
      'has a signature of a curve that is all zeros': () =>
        resign(by.curve('ES256', by.es256, { kid: 'e256' }), () => Buffer.alloc(64)),
      'has a signature of RSA that is all zeros': () => resign(by.rsa(), () => Buffer.alloc(256)),
      'has a signature of RSA that is one': () =>
        resign(by.rsa(), () => Buffer.concat([Buffer.alloc(255), Buffer.of(1)])),
      'has a signature of EdDSA that is all zeros': () => resign(by.curve('EdDSA', by.eddsa), () => Buffer.alloc(64)),
    },
    'T-052': {
      'brings its key as jwk': () => brought({ jwk: jwkOf(by.foreign) }),
      'brings a secret as jwk': () =>
        forge({ alg: 'HS256', jwk: { kty: 'oct', k: encodePart(ATTACKER) } }, goodClaims(), secretSigner(ATTACKER)),
      'names its key set as jku': () => brought({ jku: `${canary}/jwks.json` }),
      'names its key set as jku beside a known kid': () => by.rsa({}, { jku: `${canary}/jwks.json` }),
      'names its certificate as x5u': () => brought({ x5u: `${canary}/cert.pem` }),
      'brings its certificate as x5c': () => brought({ x5c: [jwkOf(by.foreign)['n']] }),
      'brings an empty x5c': () => headed({ x5c: [] }),
      'names a file as jku': () => brought({ jku: 'file:///etc/passwd' }),
      'brings its key beside a right signature': () => by.rsa({}, { jwk: jwkOf(by.rs256) }),
    },
    'T-053': {
      'names a file as kid': () => by.rsa({}, { kid: '../../etc/passwd' }),
      'names an empty file as kid': () =>
        forge({ alg: 'HS256', kid: '../../../dev/null' }, goodClaims(), secretSigner('')),
      'has SQL as kid': () => by.rsa({}, { kid: "'; DROP TABLE keys; --" }),
      'has UNION as kid': () => by.secret({ kid: "x' UNION SELECT 'aaa" }, secretSigner('aaa')),
      'has __proto__ as kid': () => by.rsa({}, { kid: '__proto__' }),
      'has constructor as kid': () => by.rsa({}, { kid: 'constructor' }),
      'has toString as kid': () => by.secret({ kid: 'toString' }, secretSigner(SECRETS.old)),
      'has a kid of 5 KB': () => by.rsa({}, { kid: 'k'.repeat(5_000) }),
      'has NUL in its kid': () => by.rsa({}, { kid: 'r1\0' }),
      'has its kid in capitals': () => by.rsa({}, { kid: 'R1' }),
      'has a kid with a space': () => by.rsa({}, { kid: 'r1 ' }),
      'has an empty kid': () => by.rsa({}, { kid: '' }),
      'has a number as kid': () => by.rsa({}, { kid: 1 }),
      'has a list as kid': () => by.rsa({}, { kid: ['r1'] }),
      'has an object as kid': () => by.rsa({}, { kid: { r1: true } }),
      'has null as kid': () => by.rsa({}, { kid: null }),
      'has a web address as kid': () => by.rsa({}, { kid: `${canary}/key` }),
      'names a key of another issuer': () => by.rsa({}, { kid: 'k1' }),
      'names the old key, and is signed with the new one': () =>
        by.secret({ kid: 'old' }, secretSigner(`${SECRETS.old}2`)),
      'names none of many keys, and is signed with none of them': () => by.secret({}, secretSigner(ATTACKER)),
      'names a key that the key set does not have': () => by.fromKeySet({ kid: 'k2' }),
    },
    'T-054': {
      'has crit': () => headed({ crit: ['exp'] }),
      'has crit with an extension that it has': () => headed({ crit: ['x'], x: 1 }),
      'has an empty crit': () => headed({ crit: [] }),
      'has crit null': () => headed({ crit: null }),
      'has crit as text': () => headed({ crit: 'exp' }),
      'has b64 false': () => headed({ b64: false }),
      'has b64 true': () => headed({ b64: true }),
      'has b64 and crit': () => headed({ b64: false, crit: ['b64'] }),
      'is an access token of another kind': () => headed({ typ: 'at+jwt' }),
      'is a logout token': () => headed({ typ: 'logout+jwt' }),
      'is a DPoP proof': () => headed({ typ: 'dpop+jwt' }),
      'is of an unknown type': () => headed({ typ: 'JOSE' }),
      'has an empty type': () => headed({ typ: '' }),
      'has a type that is a number': () => headed({ typ: 1 }),
      'has a type that is a list': () => headed({ typ: ['JWT'] }),
      'has no type where one is asked for': () => by.strict({}, { typ: undefined }),
      'has the usual type where another is asked for': () => by.strict({}, { typ: 'JWT' }),
      'has a header that is no JSON': () => raw('{'),
      'has a header that is an array': () => raw('["HS256"]'),
      'has a header that is null': () => raw('null'),
      'has a header that is text': () => raw('"HS256"'),
      'has a header that is no UTF-8': withParts(
        (_, body, mac) => `${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.${body}.${mac}`,
      ),
    },
    'T-055': {
      'is signed by another issuer than it names': () => by.rsa({}, {}, keySigner('RS256', by.published.privateKey)),
      'names the key of another issuer that signed it': () =>
        by.rsa({}, { kid: 'k1' }, keySigner('RS256', by.published.privateKey)),
      'is signed with the secret of the node in the name of an issuer': () => plain({ iss: ISSUERS.rsa }),
      'is signed with the secret of the node in the name of another secret': () => plain({ iss: ISSUERS.secrets }),
      'is signed with the secret of one tenant for another': () =>
        forge({ alg: 'HS256' }, goodClaims({ tenant: 'blue' }), secretSigner(SECRETS.red)),
      'is signed with the secret of a tenant for one that has none': () =>
        forge({ alg: 'HS256' }, goodClaims(), secretSigner(SECRETS.red)),
      'is signed with the secret of the node for a tenant that has its own': () => plain({ tenant: 'red' }),
      'is for a tenant that its issuer does not speak for': () => by.rsa({ tenant: 'blue' }),
      'is for a tenant that is not in the list of its issuer': () =>
        by.curve('EdDSA', by.eddsa, {}, { tenant: 'blue' }),
      'names another tenant under the second name': () => by.rsa({ tenant: undefined, org_id: 'blue' }),
      'names no tenant where its issuer speaks for several': () =>
        by.curve('EdDSA', by.eddsa, {}, { tenant: undefined }),
      'is of a published key for another tenant': () => by.fromKeySet({}, { tenant: 'red' }),
    },
    'T-056': {
      'has a web address as issuer': () => by.rsa({ iss: `${canary}/` }),
      'has an issuer with another host behind @': () => by.rsa({ iss: `${ISSUERS.rsa}@${canary.slice(7)}` }),
      'has an issuer that goes up': () => by.rsa({ iss: `${ISSUERS.rsa}/../evil` }),
      'has a slash behind its issuer': () => by.rsa({ iss: `${ISSUERS.rsa}/` }),
      'has its issuer in capitals': () => by.rsa({ iss: ISSUERS.rsa.toUpperCase() }),
      'has the metadata address as issuer': () => by.rsa({ iss: 'http://169.254.169.254/latest' }),
      'has the metadata address as tenant': () => by.rsa({ tenant: 'http://169.254.169.254/' }),
      'has a web address as audience': () => by.rsa({ aud: canary }),
      'has a list of issuers': () => by.rsa({ iss: [ISSUERS.rsa] }),
      'has an issuer of NUL': () => by.rsa({ iss: `${ISSUERS.rsa}\0` }),
      'has __proto__ as issuer': () => by.rsa({ iss: '__proto__' }),
    },
    'T-058': {
      'has a claim changed after it was signed': withParts(
        (head, _, mac) => `${head}.${encodePart(goodClaims({ sub: 'root' }))}.${mac}`,
      ),
      'has the signature of another token': withParts(
        (head, body) => `${head}.${body}.${plain({ sub: 'bob' }).split('.')[2]}`,
      ),
      'has its signature cut short': withParts((head, body, mac) => `${head}.${body}.${mac.slice(0, 22)}`),
      'has half a signature': () => resign(plain(), (content) => signed(content).subarray(0, 16)),
      'has one byte of signature': () => resign(plain(), (content) => signed(content).subarray(0, 1)),
      'has a signature with one byte more': () =>
        resign(plain(), (content) => Buffer.concat([signed(content), Buffer.of(0)])),
      'has a signature of zeros': () => resign(plain(), () => Buffer.alloc(32)),
      'is signed with another secret': () => resign(plain(), secretSigner(ATTACKER)),
      'is signed with no secret': () => resign(plain(), secretSigner('')),
      'is signed with the secret and a space': () => resign(plain(), secretSigner(`${SECRET} `)),
      'is signed with the secret in base64': () => resign(plain(), secretSigner(Buffer.from(SECRET, 'base64'))),
      'has its parts exchanged': withParts((head, body, mac) => `${body}.${head}.${mac}`),
    },
    'T-059': {
      'has five parts, as one that is encrypted': withParts(
        (head, body, mac) => `${head}.${body}.${mac}.${mac}.${mac}`,
      ),
      'is encrypted and says that it is packed': withParts(
        (_, body, mac) => `${encodePart({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' })}..${mac}.${body}.${mac}`,
      ),
      'is encrypted with a password that takes 2^31 rounds': withParts(
        (_, body, mac) =>
          `${encodePart({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31, p2s: 'AAAA' })}.${body}.${mac}.${body}.${mac}`,
      ),
      'has a packed payload': () =>
        forge({ alg: 'HS256', zip: 'DEF' }, deflateRawSync(JSON.stringify(goodClaims())).toString('latin1'), signed),
      'has four parts': withParts((head, body, mac) => `${head}.${body}.${mac}.${mac}`),
      'has a dot at its end': () => `${plain()}.`,
      'begins with a space': () => ` ${plain()}`,
      'ends with a newline': () => `${plain()}\n`,
      'ends with NUL': () => `${plain()}\0`,
      'is preceded by Bearer': () => `Bearer ${plain()}`,
      'has a space between its parts': () => plain().replace('.', '. '),
      'has a padded signature': () => `${plain()}=`,
      'has a padded payload': withParts((head, body, mac) => `${head}.${body}=.${mac}`),
      'has a signature in plain base64': withParts((head, body, mac) => `${head}.${body}.${mac.slice(0, -2)}+/`),
      'has a header spelled in another way': withParts((_, body) => {
        const content = `${respell(encodePart({ alg: 'HS256', a: 12 }))}.${body}`
        return `${content}.${signed(content).toString('base64url')}`
      }),
      'has a signature spelled in another way': withParts((head, body, mac) => `${head}.${body}.${respell(mac)}`),
      'is JSON and not compact': withParts((head, body, mac) =>
        JSON.stringify({ protected: head, payload: body, signature: mac }),
      ),
      'has letters that are no ASCII': withParts((head, body, mac) => `${head}.${body}.${mac}é`),
      'has a payload that is no JSON': () => raw({ alg: 'HS256' }, '{"sub":'),
      'has a payload that is an array': () => raw({ alg: 'HS256' }, [goodClaims()]),
      'has a payload that is null': () => raw({ alg: 'HS256' }, 'null'),
      'has a payload that is text': () => raw({ alg: 'HS256' }, '"ada"'),
      'has two objects as payload': () => raw({ alg: 'HS256' }, `${JSON.stringify(goodClaims())}{}`),
      'has a payload that ends within five thousand arrays': () => raw({ alg: 'HS256' }, '['.repeat(5_000)),
      'has a token as payload': () => raw({ alg: 'HS256', cty: 'JWT' }, plain()),
    },
    'T-060': {
      'has no exp': () => plain({ exp: undefined }),
      'has exp as text': () => plain({ exp: String(seconds(60)) }),
      'has exp null': () => plain({ exp: null }),
      'has exp true': () => plain({ exp: true }),
      'has exp as a list': () => plain({ exp: [seconds(60)] }),
      'has a fraction as exp': () => plain({ exp: seconds(60) + 0.5 }),
      'has exp in milliseconds': () => plain({ exp: seconds(60) * 1_000 }),
      'has exp as a date': () => plain({ exp: new Date(Date.now() + 60_000).toISOString() }),
      'has a negative exp': () => plain({ exp: -seconds(60) }),
      'has exp 1e400': () => claimText('exp', '1e400'),
      'has exp -0.1e1': () => claimText('exp', '-0.1e1'),
      'has exp 2^53': () => plain({ exp: 2 ** 53 }),
      'has exp beyond the year 9999': () => plain({ exp: 253_402_300_800 }),
      'has exp on a prototype': () =>
        raw({ alg: 'HS256' }, `{"sub":"a","tenant":"acme","__proto__":{"exp":${seconds(60)}}}`),
      'is good for a day and a minute': () => plain({ exp: seconds(86_400 + 60) }),
      'is good for longer than a day from its beginning': () => plain({ iat: seconds(-86_400), exp: seconds(60) }),
      'is good for longer than its issuer may say': () => by.strict({ exp: seconds(660) }),
      'has nbf in an hour': () => plain({ nbf: seconds(3_600) }),
      'has nbf in seven seconds': () => plain({ nbf: seconds(7) }),
      'has nbf in two seconds where clocks may not differ': () => by.strict({ nbf: seconds(2) }),
      'has nbf as text': () => plain({ nbf: String(seconds(-1)) }),
      'has nbf null': () => plain({ nbf: null }),
      'has nbf 1e400': () => claimText('nbf', '1e400'),
      'has iat in an hour': () => plain({ iat: seconds(3_600) }),
      'has iat in seven seconds': () => plain({ iat: seconds(7) }),
      'has iat as text': () => plain({ iat: String(seconds(-1)) }),
      'has a fraction as iat': () => plain({ iat: seconds(-1) + 0.5 }),
      'has a negative iat': () => plain({ iat: -1 }),
    },
    'T-063': {
      'is for another service': () => by.rsa({ aud: 'billing' }),
      'is for other services': () => by.rsa({ aud: ['billing', 'mail'] }),
      'is for nobody': () => by.rsa({ aud: undefined }),
      'is for an empty list of services': () => by.rsa({ aud: [] }),
      'is for an object': () => by.rsa({ aud: { holdfast: true } }),
      'is for a list within a list': () => by.rsa({ aud: [['holdfast']] }),
      'is for a service that begins alike': () => by.rsa({ aud: 'holdfast2' }),
      'is an id token for a page': () => by.rsa({ aud: 'web-client', nonce: 'n', at_hash: 'h' }),
      'is a channel token': () => headed({ typ: 'holdfast-channel+jwt' }),
      'is a secret alone': () => SECRET,
      'has no tenant': () => plain({ tenant: undefined }),
      'has an empty tenant': () => plain({ tenant: '' }),
      'has a tenant of 129 characters': () => plain({ tenant: 'x'.repeat(129) }),
      'has a tenant that is a number': () => plain({ tenant: 7 }),
      'has a tenant that is a list': () => plain({ tenant: ['acme'] }),
      'has a tenant null': () => plain({ tenant: null }),
      'has a control character in the tenant': () => plain({ tenant: 'ac\u0000me' }),
      'has a newline in the tenant': () => plain({ tenant: 'acme\n' }),
      'has a lone surrogate in the tenant': () => claimText('tenant', String.raw`"\ud800"`),
      'has its tenant on a prototype': () =>
        raw({ alg: 'HS256' }, `{"sub":"a","exp":${seconds(60)},"__proto__":{"tenant":"acme"}}`),
      'has no user': () => plain({ sub: undefined }),
      'has an empty user': () => plain({ sub: '' }),
      'has a user null': () => plain({ sub: null }),
      'has a user that is an object': () => plain({ sub: { name: 'ada' } }),
      'has a control character in the user': () => plain({ sub: 'ada\u009f' }),
      'has a user too long for a channel name': () => plain({ sub: 'é'.repeat(100) }),
      'has its user under the usual name where another is asked for': () => by.strict({ uid: undefined, sub: 'ada' }),
      'has its tenant under the usual name, and another where it counts': () =>
        by.strict({ tenant: 'acme', 'https://strict.test/org': 'blue' }),
      'has roles that are text': () => plain({ roles: 'admin' }),
      'has roles that are an object': () => plain({ roles: { admin: true } }),
      'has a role that is no text': () => plain({ roles: ['admin', 1] }),
      'has 257 roles': () => plain({ roles: Array.from({ length: 257 }, String) }),
      'has grants that are a list': () => plain({ grants: ['room:1'] }),
      'has grants whose verbs are text': () => plain({ grants: { 'room:1': 'publish' } }),
      'has 257 grants': () =>
        plain({ grants: Object.fromEntries(Array.from({ length: 257 }, (_, at) => [`r:${at}`, []])) }),
      'has an id that is no text': () => plain({ jti: 7 }),
    },
  }
}

function derSignature(by: TokenIssuers, content: string): Buffer {
  const plain = keySigner('ES256', by.es256.privateKey)(content)
  const integer = (bytes: Buffer): Buffer => {
    const positive = (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.of(0), bytes]) : bytes
    return Buffer.concat([Buffer.of(2, positive.length), positive])
  }
  const numbers = Buffer.concat([integer(plain.subarray(0, 32)), integer(plain.subarray(32))])
  return Buffer.concat([Buffer.of(0x30, numbers.length), numbers])
}
