import type { SeededRandom } from '../kit/seeded-random.js'

const TARGETS = [
  '/ws',
  '/ws?token=a.b.c',
  '/ws?channel=room:a&channel=%00&token=%',
  '/ws/operations/x',
  '/ws/operations/%2e%2e',
  '/ws/operations/__proto__',
  '/ws/operations/',
  '/ws//',
  '//ws',
  '/..%2fws',
  '/health/ready',
  '/%',
  '*',
  'http://[',
  `/ws?${'a'.repeat(10_000)}`,
]

const HEADERS: readonly (readonly [string, readonly string[]])[] = [
  ['Host', ['127.0.0.1', '', '[::', 'a b', '%00']],
  ['Upgrade', ['websocket', 'WebSocket', 'h2c', '']],
  ['Connection', ['Upgrade', 'keep-alive, Upgrade', 'close', '']],
  ['Sec-WebSocket-Key', ['AAAAAAAAAAAAAAAAAAAAAA==', 'short', '']],
  ['Sec-WebSocket-Version', ['13', '8', '99999999999', '']],
  ['Sec-WebSocket-Protocol', ['holdfast.v1+json', 'bearer.', 'bearer.a.b.c', 'jwt.,,', 'a b', '__proto__']],
  ['Sec-WebSocket-Extensions', ['permessage-deflate', 'permessage-deflate; server_max_window_bits=99', ';;;']],
  ['Authorization', ['Bearer a.b.c', 'Bearer', 'Basic Og==', `Bearer ${'a'.repeat(9_000)}`]],
  ['Origin', ['null', 'https://example.com', '%']],
  ['Cookie', ['a=b', ';;;=']],
  ['Content-Length', ['0', '5', '-1']],
  ['Transfer-Encoding', ['chunked', 'x']],
]

/** The bytes of a request to become a WebSocket: right, wrong, and mutated, sometimes with frames behind it. */
export function upgradeRequest(random: SeededRandom): Buffer {
  const method = random.once(12) ? random.pick(['POST', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'get']) : 'GET'
  const target = random.once(2) ? '/ws' : random.pick(TARGETS)
  const lines = HEADERS.flatMap(([name, values]) => {
    const isUsual = name.startsWith('Sec-WebSocket-') || name === 'Host' || name === 'Upgrade' || name === 'Connection'
    if (isUsual ? random.once(10) : !random.once(6)) return []
    return [`${name}: ${random.once(3) ? random.pick(values) : (values[0] ?? '')}`]
  })
  const text = `${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
  const behind = random.once(3) ? [0x81, 0x80 | random.between(0, 125), 1, 2, 3, 4, 5] : []
  return Buffer.concat([random.once(3) ? mutate(Buffer.from(text), random) : Buffer.from(text), Buffer.from(behind)])
}

function mutate(bytes: Buffer, random: SeededRandom): Buffer {
  const at = random.between(0, bytes.length - 1)
  const changed = Buffer.from(bytes)
  changed[at] = random.between(0, 255)
  return random.once(3) ? changed.subarray(0, at) : changed
}
