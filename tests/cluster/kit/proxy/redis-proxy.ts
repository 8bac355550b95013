import { ChaosProxy } from './chaos-proxy.js'
import { type PushFate, type PushMatch, type ReplyMatch, RespFaults, type SetFault } from './resp-faults.js'
import { RespLine } from './resp-line.js'

/** A proxy before a Redis server that understands what passes: it can lose, double, swap or delay one push, and change one reply. */
export class RedisProxy {
  /** The lines themselves, for everything that has nothing to do with Redis. */
  readonly tcp: ChaosProxy
  readonly #faults: RespFaults

  private constructor(tcp: ChaosProxy, faults: RespFaults) {
    this.tcp = tcp
    this.#faults = faults
  }

  /** Starts a proxy to the Redis server at a port. */
  static async start(target: number): Promise<RedisProxy> {
    const faults = new RespFaults()
    return new RedisProxy(await ChaosProxy.start(target, { reader: () => new RespLine(faults) }), faults)
  }

  /** The address for clients. */
  get url(): string {
    return `redis://127.0.0.1:${this.tcp.port}`
  }

  /** Does something to the n-th push that matches, on whichever line it comes. */
  onPush(fate: PushFate, match?: PushMatch): SetFault {
    return this.#faults.push(fate, match)
  }

  /** Replaces the n-th reply to a command by an error; the command itself is carried out. */
  onReply(command: string, error: string, match?: ReplyMatch): SetFault {
    return this.#faults.reply(command, error, match)
  }

  /** Cuts everything and accepts nothing more. */
  close(): Promise<void> {
    return this.tcp.close()
  }
}
