/** One way to abuse a server, and what comes of it. */
export interface AbuseCase {
  readonly id: `T-${string}`
  /** What is done. */
  readonly attack: string
  /** What it gets, and what must not happen. */
  readonly answer: string
  /** Why there is no test, for a case that has none. */
  readonly reason?: string
}

/** Cases that meet the same door. */
export interface Section {
  readonly title: string
  readonly cases: readonly AbuseCase[]
}

const NO_CONSOLE = 'there is no console yet: nothing answers there, nobody logs in, and no page shows what others wrote'

/** Every case, by what is attacked. */
export const SECTIONS: readonly Section[] = [
  {
    title: 'The origin of a page, and the upgrade',
    cases: [
      {
        id: 'T-001',
        attack: 'a page of any origin connects to a node in production that names none',
        answer: 'closed `1008 Origin not allowed`; HTTP answers carry no CORS header',
      },
      {
        id: 'T-002',
        attack: 'origins that look like an allowed one: longer, other scheme, other port, credentials before the host',
        answer: 'refused; what differs in case, default port or one trailing slash only is the same origin',
      },
      {
        id: 'T-003',
        attack: 'hosts beside a wildcard: none, two or empty labels, the name glued to another',
        answer: 'refused; a wildcard stands for exactly one label',
      },
      {
        id: 'T-004',
        attack: 'no origin, or `null`, as a sandboxed frame sends it',
        answer: 'refused in production, unless a missing one is allowed; `null` is never the same as missing',
      },
      {
        id: 'T-005',
        attack: 'the same origin asks again after another policy has judged it',
        answer: 'what was remembered for one policy is not used for another',
      },
      {
        id: 'T-006',
        attack: 'a page makes the browser of somebody who is logged in connect, cookies included',
        answer: 'a cookie is no credential: such a connection is nobody, and its origin is refused',
      },
      {
        id: 'T-007',
        attack: 'two origins, one with control characters, one of 8 KB',
        answer: 'refused: neither the first nor the last of them decides',
      },
      {
        id: 'T-008',
        attack: 'a name of the attacker resolves to this machine and its page connects',
        answer: 'refused where `hosts` names what the node is called; in development, on loopback, without being told',
      },
      {
        id: 'T-009',
        attack: 'requests that arrive byte by byte, or never',
        answer: 'let go of 5 to 6 s after they began; who connects meanwhile does not notice',
      },
      {
        id: 'T-010',
        attack: 'tens of thousands of mutated upgrades, frames glued to them, sockets that vanish in the middle',
        answer: 'an HTTP error or a close; no exception escapes',
      },
      {
        id: 'T-011',
        attack:
          'thousands of headers, oversized ones, headers named like members of a prototype, doubled or missing `Upgrade`',
        answer: '400 or 431, or a connection like any other; no exception',
      },
      {
        id: 'T-012',
        attack: 'lists of subprotocols and extensions made to be slow to read',
        answer: 'read in linear time, ignored or refused; no extension is ever agreed to',
      },
      {
        id: 'T-013',
        attack: 'paths that mean the right one after decoding or normalising',
        answer: '404: the path is compared as it is',
      },
      {
        id: 'T-014',
        attack: 'another version, a missing or short key, another method, HTTP/1.0',
        answer: '400, 405 or 426; never 101',
      },
      {
        id: 'T-015',
        attack: 'thousands of upgrades a second, from one address and from many',
        answer: 'what is over the limit of the address or the node is refused; others connect',
      },
      {
        id: 'T-017',
        attack: 'an upgrade with a body; frames before it was answered',
        answer: '400 for bodies; early frames count as the first ones and have their limits',
      },
      {
        id: 'T-018',
        attack: 'a WebSocket inside HTTP/2',
        answer: 'refused: HTTP/2 is not spoken, and offering it changes nothing',
      },
      {
        id: 'T-019',
        attack: 'a token in the address',
        answer:
          'not read in production, unless it is turned on; in no log line at any level. There are no single-use tickets: the token is the usual one, so a short life is up to who makes it',
      },
    ],
  },
  {
    title: 'Frames and transport',
    cases: [
      {
        id: 'T-020',
        attack: 'reserved bits, unknown opcodes, no mask, continuations of nothing, a message inside another',
        answer: 'closed 1002 at once; nothing of it is delivered',
      },
      { id: 'T-021', attack: 'control frames that are too long or fragmented', answer: 'closed 1002' },
      {
        id: 'T-022',
        attack: 'a frame that declares exabytes, and then silence',
        answer: 'closed 1009 at its header; nothing is allocated for what was declared',
      },
      {
        id: 'T-023',
        attack: 'a message one byte over the limit, whole and in fragments, before and after the welcome',
        answer: 'closed `1009 Message too big` as soon as the sum is over the limit',
      },
      {
        id: 'T-024',
        attack: 'text that is no UTF-8, in each way that it can be none',
        answer: 'closed 1007; characters that fragments cut in two are fine',
      },
      {
        id: 'T-025',
        attack: 'a message in tens of thousands of fragments',
        answer: 'closed at fragment 65; memory does not follow their number',
      },
      { id: 'T-026', attack: 'empty fragments without end', answer: 'closed at fragment 65' },
      {
        id: 'T-028',
        attack: 'thousands of pings a second, and nobody reads the answers',
        answer: 'one answer waits at most; closed `1008 Rate limit exceeded` within a second',
      },
      {
        id: 'T-029',
        attack: 'thousands of pongs that nobody asked for',
        answer: 'the same limit; they are no sign of life',
      },
      { id: 'T-030', attack: 'a binary frame', answer: 'closed `1003 Unsupported data`' },
      {
        id: 'T-031',
        attack: 'compressed frames, small ones that inflate to much',
        answer: 'closed 1002: compression is never agreed to, nothing is inflated',
      },
      {
        id: 'T-032',
        attack: 'many clients ask for compression with large windows',
        answer: 'the offer is ignored: no connection holds a window',
      },
      {
        id: 'T-033',
        attack: 'a subscriber stops reading while much is published',
        answer: '`1013 Too slow` at the limit of its queue, its socket gone within 5 s; others are served',
      },
      {
        id: 'T-034',
        attack: 'close frames with codes and reasons that must not be; a socket kept open after the close',
        answer: 'closed 1002 or 1007; the socket is destroyed within 5 s; nothing of our memory is told',
      },
      {
        id: 'T-035',
        attack: 'a client that vanishes without a word',
        answer: 'closed `1001 Heartbeat timeout` one timeout after it was last heard of',
      },
      {
        id: 'T-037',
        attack: 'TLS that is begun and not ended, odd server names, unknown protocols, a callback that throws',
        answer: 'the server of the application gives up on each; the node beside it goes on',
      },
      {
        id: 'T-038',
        attack: 'an upgrade, and then nothing, or pings only',
        answer: 'closed `1008 Authentication required` at the limit of the handshake: pings do not extend it',
      },
      {
        id: 'T-039',
        attack: 'one who was let in sends a byte now and then for ever, and subscribes to nothing',
        answer: 'stays, within the limits of its user and address: heartbeats decide who is there',
      },
    ],
  },
  {
    title: 'Commands',
    cases: [
      {
        id: 'T-040',
        attack: 'objects whose member names are made to collide',
        answer: 'refused by their number before they are parsed; reading one holds up nobody',
      },
      {
        id: 'T-041',
        attack: 'a frame of newlines, or of very many commands',
        answer: 'refused: commands are counted before the frame is split',
      },
      {
        id: 'T-042',
        attack: 'nesting of thousands of levels',
        answer: 'refused without recursion; who goes on is closed `Too many errors`',
      },
      {
        id: 'T-043',
        attack: 'counts and lists of absurd size',
        answer: 'refused; nothing is allocated in proportion to the number',
      },
      {
        id: 'T-044',
        attack: 'members of other types than agreed, names that every object inherits',
        answer: 'refused; no inherited member is ever taken for a command or a method',
      },
      {
        id: 'T-045',
        attack: '`__proto__` and `constructor` in every object that a client can send',
        answer: 'carried as text or refused; no prototype changes',
      },
      {
        id: 'T-046',
        attack: 'offsets that are negative, broken, too precise, text; epochs that cannot be',
        answer: '`bad_request`',
      },
      {
        id: 'T-048',
        attack: 'channel names with control characters, direction marks, lone surrogates, look-alikes',
        answer: '`invalid_channel`: names are plain ASCII and compared as they are',
      },
      {
        id: 'T-049',
        attack: 'commands before `hello`, a second `hello`, odd and repeated ids, very many at a time',
        answer: 'refused or closed; at most 32 are begun, the rest waits unread',
      },
    ],
  },
  {
    title: 'Credentials',
    cases: [
      {
        id: 'T-050',
        attack: 'tokens without a signature, with none as algorithm, with two parts',
        answer: '`1008 Invalid authentication token`, the same for every cause',
      },
      {
        id: 'T-051',
        attack: 'a public key used as a secret; algorithms exchanged for others of the same family',
        answer: 'refused: the key decides which algorithm it is for, the token never does',
      },
      {
        id: 'T-052',
        attack: 'a header that brings its own key, or says where to find it',
        answer: 'refused; nothing is fetched',
      },
      {
        id: 'T-053',
        attack: 'key ids that are paths, queries, names of a prototype, kilobytes, absent',
        answer: 'refused: an id is looked up as it is among the keys of its issuer',
      },
      {
        id: 'T-054',
        attack: 'critical header members, detached payloads, tokens of another kind',
        answer: 'refused',
      },
      {
        id: 'T-055',
        attack: 'two issuers whose keys have the same id',
        answer: 'a key is remembered under its issuer; no token of one is good for the other',
      },
      {
        id: 'T-056',
        attack: 'issuers, audiences and tenants that are addresses',
        answer: 'refused; no address is ever made of a claim',
      },
      {
        id: 'T-057',
        attack: 'a host of keys that answers much, slowly, elsewhere, nonsense, or not; floods of unknown ids',
        answer: 'bounded in time and size, asked seldom; the last good keys stay',
      },
      {
        id: 'T-058',
        attack: 'tokens made to be taken for one another by whatever remembers them',
        answer: 'each is its own identity or none',
      },
      {
        id: 'T-059',
        attack: 'encrypted tokens, huge ones, broken encodings',
        answer: 'refused before they are decoded',
      },
      {
        id: 'T-060',
        attack: 'times that are missing, text, fractions, milliseconds, infinite, negative, at the edge',
        answer: 'an expiry is needed and is a whole number; the tolerance is applied once',
      },
      {
        id: 'T-061',
        attack: 'ids and secrets of others are guessed or reused',
        answer: 'what grants anything is random and bound to tenant and user; the id of a connection grants nothing',
      },
      {
        id: 'T-063',
        attack: 'a credential of one kind is used as another',
        answer: 'refused',
      },
      {
        id: 'T-064',
        attack: 'a thousand bad tokens a minute, from one address or many',
        answer: 'failures are limited by address; good tokens from the same address are let in',
      },
      {
        id: 'T-065',
        attack: 'the time that a refusal takes is measured',
        answer: 'secrets are compared in constant time; no prefix shows',
      },
      {
        id: 'T-066',
        attack: 'a token expires on a live connection; it is refreshed with that of another',
        answer: 'notice, then `1008 Authentication token expired`; a refresh keeps tenant and user or is refused',
      },
      {
        id: 'T-067',
        attack: 'what was revoked goes on, on another node, or by resuming a session',
        answer: 'closed on every node within a second; refused at resume',
      },
      {
        id: 'T-069',
        attack: 'a node is started with a weak or well-known secret, or keys over plain HTTP',
        answer: 'it refuses to start and says why',
      },
    ],
  },
  {
    title: 'Channels, tenants, limits',
    cases: [
      {
        id: 'T-070',
        attack: 'commands by other names, in other case, inside others, a forbidden one among allowed ones',
        answer: 'there is one name for each, and each is judged by itself',
      },
      {
        id: 'T-071',
        attack: 'grants and patterns are stretched to channels they do not name',
        answer: 'a pattern means what a naive reading of it means; each verb is granted by itself',
      },
      {
        id: 'T-072',
        attack: 'names that mean another one after decoding or normalising',
        answer: '`invalid_channel`, or a channel of its own: nothing is decoded',
      },
      {
        id: 'T-073',
        attack: 'empty, overlong, and very many different names',
        answer: 'refused; the number of channels is bounded and so is what they cost',
      },
      {
        id: 'T-074',
        attack: 'channels named like what we use inside',
        answer: 'refused like any that no rule names; clients reach nothing of ours by name',
      },
      {
        id: 'T-075',
        attack: 'tenants and channels whose names run into each other',
        answer: 'names are told apart by their length inside: no choice of characters crosses',
      },
      {
        id: 'T-077',
        attack: 'patterns where a name is expected',
        answer: 'refused; no text of a client becomes a pattern anywhere',
      },
      {
        id: 'T-078',
        attack: 'ten thousand subscriptions, a thousand connections of one user',
        answer: '`limit_exceeded`, `1008 Connection limit exceeded`',
      },
      {
        id: 'T-079',
        attack: 'one channel is subscribed to and left thousands of times a second',
        answer: 'limited; the last command decides, nothing stays behind',
      },
      {
        id: 'T-080',
        attack: 'recoveries of everything over and over; positions that never were',
        answer: 'a recovery is bounded and limited; a forged position is told as a gap',
      },
      {
        id: 'T-081',
        attack: 'members are asked for without end or without the right; a member claims to be another',
        answer: 'bounded, refused; who a member is, the server says',
      },
      {
        id: 'T-082',
        attack: 'thousands of publishes a second',
        answer: '`rate_limited` with the time to wait, then `1008 Rate limit exceeded`',
      },
      {
        id: 'T-083',
        attack: 'one tenant floods the store that it shares with others',
        answer: 'each channel is trimmed by its own rule, each tenant has its quota',
      },
    ],
  },
  {
    title: 'HTTP',
    cases: [
      {
        id: 'T-085',
        attack: 'content types that a schema misses and a parser takes',
        answer: '415: what is not exactly JSON is not read',
      },
      {
        id: 'T-086',
        attack: 'forwarding headers of a peer that is no proxy of ours',
        answer: 'ignored: the address is counted from the right over trusted proxies only',
      },
      {
        id: 'T-087',
        attack: 'API keys are guessed',
        answer: 'one refusal for all, limited; keys are stored hashed, found by their public part',
      },
      {
        id: 'T-088',
        attack: 'members that the sender must not set',
        answer: '400 for a member that is not asked for',
      },
      {
        id: 'T-089',
        attack: 'bodies that are huge, endless, compressed, slow',
        answer: '413, 415, or 408: no more than the bound is ever held',
      },
      {
        id: 'T-091',
        attack: 'addresses of webhooks and keys that lead inside, at once or after a redirect or a change of name',
        answer: 'the address that is checked is the one that is connected to; no redirect is followed',
      },
      {
        id: 'T-092',
        attack: 'odd methods, doubled slashes, encoded slashes, HTTP/0.9',
        answer: '400, 404 or 405',
      },
      {
        id: 'T-093',
        attack: 'two requests where one is declared: conflicting lengths, bare line ends, pipelines after an error',
        answer: '400, and the connection ends; the second request is not carried out',
      },
      {
        id: 'T-094',
        attack: 'preflights of other origins, provoked errors',
        answer: 'no CORS header, the usual security headers, nothing of our insides',
      },
    ],
  },
  {
    title: 'Redis and other nodes',
    cases: [
      {
        id: 'T-095',
        attack: 'entries of a log that are not ours: no JSON, no fields, huge, deep, another tenant, binary',
        answer: 'skipped, counted, logged; subscribers are told of a gap, and reading goes on',
      },
      {
        id: 'T-096',
        attack: 'forged, changed, old and repeated messages between nodes',
        answer: 'not believed, counted',
      },
      {
        id: 'T-098',
        attack: 'names and keys that hold commands, scripts, line ends; scripts are flushed',
        answer: 'a text is a text; flushed scripts are loaded again',
      },
      {
        id: 'T-099',
        attack: 'a Redis without password or TLS beyond this machine, with a wrong certificate',
        answer: 'warned of or refused; no address with a password is ever logged',
      },
      {
        id: 'T-100',
        attack: 'a very long log waits, one answer would be very large',
        answer: 'read in pages of bounded count and size; others are served meanwhile',
      },
      {
        id: 'T-101',
        attack: 'two clusters on one Redis; what one has said is told to the other',
        answer: 'every key and message carries its prefix and is sealed with the cluster’s secret',
      },
    ],
  },
  {
    title: 'The console',
    cases: [
      { id: 'T-102', attack: 'encoded paths around its guard', answer: '404', reason: NO_CONSOLE },
      { id: 'T-103', attack: 'scripts in names and messages', answer: 'shown as text', reason: NO_CONSOLE },
      { id: 'T-104', attack: 'requests of other pages', answer: 'refused', reason: NO_CONSOLE },
      { id: 'T-105', attack: 'passwords are guessed', answer: 'slowed down', reason: NO_CONSOLE },
      { id: 'T-106', attack: 'sessions are stolen or planted', answer: 'refused', reason: NO_CONSOLE },
      { id: 'T-107', attack: 'calls beyond one’s role', answer: 'refused', reason: NO_CONSOLE },
      {
        id: 'T-108',
        attack: 'configuration, memory, sources and metrics are asked for',
        answer: 'nothing secret is told',
        reason: NO_CONSOLE,
      },
      { id: 'T-109', attack: 'formulas in exports, redirects, frames', answer: 'escaped, refused', reason: NO_CONSOLE },
    ],
  },
  {
    title: 'Logs, packages, the client',
    cases: [
      {
        id: 'T-110',
        attack: 'secrets are sent through every door, and every output is searched for them',
        answer: 'in none of them, at any level',
      },
      {
        id: 'T-111',
        attack: 'line ends, escapes and marks in names, so that a log shows what did not happen',
        answer: 'one line for one event, escaped and cut',
      },
      {
        id: 'T-112',
        attack: 'a flood of different names, or of the same event',
        answer: 'ten lines of a kind and address a second, then a count; what is counted is bounded',
      },
      {
        id: 'T-113',
        attack: 'a dependency that runs a script when it is installed, comes from elsewhere, or was not asked for',
        answer: 'nothing needs a script; the lock file names versions and hashes; what runs is on a list',
      },
      {
        id: 'T-114',
        attack: 'a package that holds more than it should, or other than its sources',
        answer: 'sources and build, nothing else; two builds are the same to the byte',
      },
      {
        id: 'T-115',
        attack: 'the pipeline of releases is taken over',
        answer: 'no long-lived credential, pinned steps',
        reason: 'the pipeline of releases is not part of this repository',
      },
      {
        id: 'T-116',
        attack: 'a component that no bill of materials names',
        answer: 'the bill is made of the lock file and is complete',
      },
      {
        id: 'T-117',
        attack: 'a hostile server: huge frames, wrong types, endless and forged messages',
        answer: 'the client bounds, ignores or ends the connection; it neither throws nor loops',
      },
      {
        id: 'T-118',
        attack: 'a server that refuses for ever',
        answer:
          'the client stops where it was told to; else it backs off with jitter, and a short success does not reset that',
      },
      {
        id: 'T-119',
        attack: 'a million publishes while away; a `token()` that hangs, throws, answers the same',
        answer: 'the queue is bounded and says so; each attempt is bounded and backs off',
      },
    ],
  },
  {
    title: 'Operations, and the machine',
    cases: [
      {
        id: 'T-120',
        attack: 'the operation of another is read, cancelled, guessed',
        answer: '`not_found`, the same as for one that never was',
      },
      {
        id: 'T-121',
        attack: 'very many operations, progress and events',
        answer: 'progress is conflated, the last value kept; what is never ended expires; operations are a quota',
      },
      {
        id: 'T-122',
        attack: 'ended twice, changed after the end, progress that goes back, is none, or is beyond the total',
        answer:
          'the first end counts; nothing follows it; what cannot be is refused, what goes back is told as it is or ignored',
      },
      {
        id: 'T-124',
        attack: 'a result of megabytes, a secret in an error',
        answer: 'refused by size; others see the code of an error and what the application chose to say',
      },
      {
        id: 'T-125',
        attack: 'sockets until there are no more, memory until there is no more',
        answer: 'new ones are refused, descriptors are kept for the engine; load is shed from the least hurt',
      },
    ],
  },
]

/** Every case, in order. */
export const CASES: readonly AbuseCase[] = SECTIONS.flatMap(({ cases }) => cases)
