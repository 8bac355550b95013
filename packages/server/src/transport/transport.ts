/** The port to one WebSocket: bytes out, no knowledge of messages. */
export interface Socket {
  /** Bytes that were written and have not left yet, as far as the transport knows. */
  pendingBytes(): number
  /** Whether the transport takes more now; after a false, `drained` follows. */
  isReady(): boolean
  /** Writes bytes that `FrameEncoder` made: one or more whole frames. */
  write(bytes: Uint8Array): void
  /** Stops and resumes reading; what was read before may still arrive. */
  pause(): void
  resume(): void
  /** Sends a close frame after what was written; destroys the socket if the peer does not answer in time. */
  close(code: number, reason: string): void
  /** The same for a peer that has said nothing and will answer nothing: the socket goes when everything has left. */
  hangUp(code: number, reason: string): void
}

/** What a socket tells its connection. Called in order; nothing is called after `closed`. */
export interface SocketHandler {
  text(frame: string, bytes: number): void
  /** A frame that is not text arrived. */
  binary(): void
  /** A frame was over the limit of the transport. */
  tooBig(): void
  /** The peer broke the standard, and the transport closes it; `rule` is the transport's name for what it did. */
  violated(rule: string): void
  /** The peer answered a ping of ours. */
  alive(): void
  /** A ping or a pong arrived, whatever is in it. False: there are too many, and it is not answered. */
  controlFrame(): boolean
  /** The transport takes more again. */
  drained(): void
  /** `clean`: the peer, or we, said goodbye with a close frame. */
  closed(code: number, clean: boolean): void
}

/** What a client asked for when it connected. */
export interface Upgrade {
  /** The address of the client, after trusted proxies. */
  readonly address: string
  /** The path after the mount point: empty, or `/operations/{id}`. */
  readonly path: string
  readonly query: URLSearchParams
  readonly authorization: string | undefined
  readonly origin: string | undefined
  /** Whether the client offered the subprotocol, so that it will send `hello`. */
  readonly speaksProtocol: boolean
  /** A token that came as a subprotocol entry. */
  readonly protocolToken: string | undefined
  /** It is here for the one thing that it asks for: the inboxes of its user are not part of it, and it never learns the key of its session. */
  readonly isReader?: boolean
}

/** Makes the bytes of frames. Encoded once, a frame can be written to any number of sockets. */
export interface FrameEncoder {
  text(content: string): Uint8Array
  /** A transport-level ping, for peers that answer without being programmed to. */
  ping(): Uint8Array
}

/** Why an upgrade is refused, in HTTP and before anything was opened. 429: too many from this address; 503: no room on this node. */
export interface UpgradeRefusal {
  readonly status: 429 | 503
  readonly retryAfterSeconds: number
}

/** What a transport hands its sockets to. */
export interface Acceptor {
  /** Why a connection from this address would not be admitted now; undefined: it is, and `accept` follows. */
  refuses(address: string): UpgradeRefusal | undefined
  accept(socket: Socket, upgrade: Upgrade): SocketHandler
}
