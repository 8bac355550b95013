/** What an error code promises. */
export interface ErrorEntry {
  /** The usual text; an answer may carry a more exact one. */
  readonly message: string
  /** Whether the same command may succeed later, unchanged. */
  readonly retryable: boolean
  /** Who has to change something. */
  readonly blame: 'client' | 'server' | 'application'
  /** What to do about it. */
  readonly remedy: string
}

/** Every code that an `error` message can carry. */
export const ERRORS = {
  bad_request: {
    message: 'The command is not valid',
    retryable: false,
    blame: 'client',
    remedy: 'Mend the field that the message names',
  },
  unknown_type: {
    message: 'This command is not known',
    retryable: false,
    blame: 'client',
    remedy: 'Use a command of the protocol, or a server that knows it',
  },
  invalid_channel: {
    message: 'This is not a channel name',
    retryable: false,
    blame: 'client',
    remedy: 'Name channels namespace:name as the protocol says',
  },
  unauthenticated: {
    message: 'Authentication required',
    retryable: false,
    blame: 'client',
    remedy: 'Send a token or an API key as Authorization: Bearer',
  },
  permission_denied: {
    message: 'Not allowed',
    retryable: false,
    blame: 'client',
    remedy: 'Ask for a token whose roles or grants allow it, or change the channel rules',
  },
  not_found: {
    message: 'Not found',
    retryable: false,
    blame: 'client',
    remedy: 'Check the id; what belongs to another looks the same as what does not exist',
  },
  unknown_method: {
    message: 'No such method',
    retryable: false,
    blame: 'client',
    remedy: 'Call a method that the application registered',
  },
  limit_exceeded: {
    message: 'A limit is reached',
    retryable: false,
    blame: 'client',
    remedy: 'Use less of what the message names, or raise the option',
  },
  rate_limited: {
    message: 'Too fast',
    retryable: true,
    blame: 'client',
    remedy: 'Wait retryAfter milliseconds',
  },
  idempotency_conflict: {
    message: 'This key was used with other data',
    retryable: false,
    blame: 'client',
    remedy: 'Use a new key for a new message',
  },
  unserialisable: {
    message: 'The data cannot be encoded',
    retryable: false,
    blame: 'client',
    remedy: 'Remove the value at the path that the message names',
  },
  already_ended: {
    message: 'The operation has ended',
    retryable: false,
    blame: 'client',
    remedy: 'Read the snapshot; a terminal state is final',
  },
  stale_report: {
    message: 'A later attempt or report is known',
    retryable: false,
    blame: 'client',
    remedy: 'Stop the work: another worker has taken it over, or this report came late',
  },
  already_held: {
    message: 'Another worker has this operation',
    retryable: true,
    blame: 'client',
    remedy: 'Wait until its lease lapses, or take it over with force',
  },
  children_running: {
    message: 'Operations below this one have not ended',
    retryable: true,
    blame: 'client',
    remedy: 'Wait for them, or say that it completes regardless',
  },
  recovery_overflow: {
    message: 'Too much arrived while the channel was being recovered',
    retryable: true,
    blame: 'server',
    remedy: 'Subscribe again with the same position',
  },
  engine_unavailable: {
    message: 'The message store cannot be reached',
    retryable: true,
    blame: 'server',
    remedy: 'Try again with the same key',
  },
  timeout: {
    message: 'No answer in time',
    retryable: true,
    blame: 'application',
    remedy: 'Try again, or allow more time',
  },
  method_failed: {
    message: 'The method failed',
    retryable: false,
    blame: 'application',
    remedy: 'See the log of the application',
  },
  internal_error: {
    message: 'Internal error',
    retryable: true,
    blame: 'server',
    remedy: 'See the log of the server',
  },
} as const satisfies Record<string, ErrorEntry>

/** A code that an `error` message can carry. */
export type ErrorCode = keyof typeof ERRORS
