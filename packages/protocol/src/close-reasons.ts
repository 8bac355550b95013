/** What a client does after a close. */
export type Reconnect = 'never' | 'backoff' | 'now' | 'refresh'

/** One way for a connection to end. */
export interface CloseReason {
  /** The registered WebSocket close code. */
  readonly code: number
  /** The fixed text of the close frame. */
  readonly reason: string
  /** What the client does, unless `goodbye` says otherwise. */
  readonly reconnect: Reconnect
  /** When it happens. */
  readonly meaning: string
}

/** Every way for the server to end a connection. The pair of code and reason is unique. */
export const CLOSE = {
  normal: {
    code: 1000,
    reason: 'Normal closure',
    reconnect: 'never',
    meaning: 'The client or the application ended it',
  },
  operationCompleted: {
    code: 1000,
    reason: 'Operation completed',
    reconnect: 'never',
    meaning: 'The operation of this connection has ended and its last event was sent',
  },
  resumedElsewhere: {
    code: 1000,
    reason: 'Resumed elsewhere',
    reconnect: 'never',
    meaning: 'The session lives on in a newer connection',
  },
  serverShutdown: { code: 1001, reason: 'Server shutdown', reconnect: 'backoff', meaning: 'The node is closing' },
  heartbeatTimeout: {
    code: 1001,
    reason: 'Heartbeat timeout',
    reconnect: 'backoff',
    meaning: 'Nothing came from the client within the timeout',
  },
  unsupportedData: {
    code: 1003,
    reason: 'Unsupported data',
    reconnect: 'never',
    meaning: 'A binary frame, or a subprotocol that is not ours',
  },
  authenticationRequired: {
    code: 1008,
    reason: 'Authentication required',
    reconnect: 'refresh',
    meaning: 'No credential, or no hello in time',
  },
  invalidToken: {
    code: 1008,
    reason: 'Invalid authentication token',
    reconnect: 'refresh',
    meaning: 'The credential was refused, whatever the cause but expiry',
  },
  tokenExpired: {
    code: 1008,
    reason: 'Authentication token expired',
    reconnect: 'refresh',
    meaning: 'The token has expired, on arrival or on a live connection',
  },
  tokenRevoked: { code: 1008, reason: 'Token revoked', reconnect: 'never', meaning: 'The credential was withdrawn' },
  originNotAllowed: {
    code: 1008,
    reason: 'Origin not allowed',
    reconnect: 'never',
    meaning: 'The page may not connect here',
  },
  connectionLimit: {
    code: 1008,
    reason: 'Connection limit exceeded',
    reconnect: 'never',
    meaning: 'The user already has as many connections as allowed',
  },
  notAllowed: {
    code: 1008,
    reason: 'Not allowed',
    reconnect: 'never',
    meaning: 'The identity may not use this address',
  },
  rateLimit: { code: 1008, reason: 'Rate limit exceeded', reconnect: 'backoff', meaning: 'Too much, again and again' },
  badRequest: {
    code: 1008,
    reason: 'Bad request',
    reconnect: 'never',
    meaning: 'The handshake could not be understood',
  },
  tooManyErrors: {
    code: 1008,
    reason: 'Too many errors',
    reconnect: 'never',
    meaning: 'Frame after frame could not be understood',
  },
  disconnectedByAdministrator: {
    code: 1008,
    reason: 'Disconnected by administrator',
    reconnect: 'never',
    meaning: 'The application or an operator ended it',
  },
  messageTooBig: {
    code: 1009,
    reason: 'Message too big',
    reconnect: 'backoff',
    meaning: 'A frame was over its limit; it must not be sent again',
  },
  internalError: { code: 1011, reason: 'Internal error', reconnect: 'backoff', meaning: 'The server made a mistake' },
  serviceRestart: {
    code: 1012,
    reason: 'Service restart',
    reconnect: 'now',
    meaning: 'The node is draining; the client moves at its slot, before the old socket closes',
  },
  tooSlow: {
    code: 1013,
    reason: 'Too slow',
    reconnect: 'now',
    meaning: 'The client read too slowly; it recovers what it missed from the log',
  },
  serverBusy: { code: 1013, reason: 'Server busy', reconnect: 'backoff', meaning: 'The node has no room now' },
} as const satisfies Record<string, CloseReason>

/** The name of a way to end a connection. */
export type CloseName = keyof typeof CLOSE

const BY_PAIR = new Map<string, CloseReason>(
  Object.values(CLOSE).map((entry) => [`${entry.code} ${entry.reason}`, entry]),
)

/** What a close frame asks of the client; a pair that is not in the table asks for back-off. */
export function reconnectAfterClose(code: number, reason: string): Reconnect {
  return BY_PAIR.get(`${code} ${reason}`)?.reconnect ?? (code === 1000 || code === 1003 ? 'never' : 'backoff')
}
