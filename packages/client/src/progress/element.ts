import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import { type Clock, systemClock } from '../clock.js'
import { type HoldfastError, asHoldfastError } from '../errors.js'
import type { Holdfast } from '../holdfast.js'
import type { TokenOption } from '../token.js'
import { faceOf } from './face.js'
import { type Borrowed, borrowClient } from './shared-clients.js'
import { View } from './view.js'

/** What the element dispatches; the events bubble, out of shadow trees too. */
export interface HoldfastProgressEventMap {
  /** After every change, the last one included. */
  progress: CustomEvent<OperationSnapshot>
  /** Once, with the terminal state. */
  ended: CustomEvent<OperationSnapshot>
  /** It cannot be watched, or was not cancelled. */
  problem: CustomEvent<HoldfastError>
}

/** Attributes whose change makes the element watch anew. */
const WATCHED_ATTRIBUTES = ['operation', 'url', 'token']
const TICK_MS = 1000

/** On a server there are no elements; importing this file there does nothing. */
const Base: typeof HTMLElement = globalThis.HTMLElement ?? (Object as unknown as typeof HTMLElement)
const clock: Clock = systemClock

/**
 * `<holdfast-progress operation="import-42">`: shows an operation live, to its end. Attributes: `operation`; `url` (default `/ws`) and `token`, where no `client` is
 * given; `cancellable`; `label`; `theme` (`light`, `dark`, `auto`; default: that of the page). Elements with the same address and token share one connection.
 */
export class HoldfastProgress extends Base {
  static readonly observedAttributes: readonly string[] = [...WATCHED_ATTRIBUTES, 'label', 'cancellable']

  #view: View | undefined
  #client: Holdfast | undefined
  #token: TokenOption | undefined
  #borrowed: Borrowed | undefined
  #snapshot: OperationSnapshot | undefined
  /** Why it cannot be watched. */
  #error: HoldfastError | undefined
  /** Why it was not cancelled. */
  #refusal: HoldfastError | undefined
  #heardAt: number | undefined
  /** Counts the watches: what belongs to an old one is not heard any more. */
  #turn = 0
  readonly #leave: (() => void)[] = []
  #isRestarting = false
  #stopTick: (() => void) | undefined

  /** The operation to watch. Empty: none. */
  get operation(): string {
    return this.getAttribute('operation') ?? ''
  }

  set operation(id: string) {
    this.setAttribute('operation', id)
  }

  /** The client to watch with, in the place of a connection of its own. */
  get client(): Holdfast | undefined {
    return this.#client
  }

  set client(client: Holdfast | undefined) {
    this.#client = client
    this.#forget()
    this.#restart()
  }

  /** The credential of its own connection, or a function that fetches it; before the attribute `token`. */
  get token(): TokenOption | undefined {
    return this.#token ?? this.getAttribute('token') ?? undefined
  }

  set token(token: TokenOption | undefined) {
    this.#token = token
    this.#restart()
  }

  /** Whether there is a button that cancels. */
  get cancellable(): boolean {
    return this.hasAttribute('cancellable')
  }

  set cancellable(cancellable: boolean) {
    this.toggleAttribute('cancellable', cancellable)
  }

  /** What is called the operation, in the place of its own label. */
  get label(): string {
    return this.getAttribute('label') ?? ''
  }

  set label(label: string) {
    this.setAttribute('label', label)
  }

  /** The newest snapshot that was received. */
  get snapshot(): OperationSnapshot | undefined {
    return this.#snapshot
  }

  /** Asks for the operation to be cancelled; what goes wrong is shown, and dispatched as `problem`. */
  async cancel(): Promise<void> {
    const turn = this.#turn
    this.#refusal = undefined
    this.#show()
    try {
      await this.#watching?.operation(this.operation).cancel()
    } catch (thrown) {
      if (turn !== this.#turn) return
      this.#refusal = asHoldfastError(thrown, 'transport_failed', 'Not cancelled')
      this.#show()
      this.#tell('problem', this.#refusal)
    }
  }

  /** As every element's, with the types of what this one dispatches. */
  override addEventListener<E extends keyof HoldfastProgressEventMap>(
    type: E,
    listener: (event: HoldfastProgressEventMap[E]) => unknown,
    options?: AddEventListenerOptions | boolean,
  ): void
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean,
  ): void
  override addEventListener(type: string, listener: unknown, options?: AddEventListenerOptions | boolean): void {
    super.addEventListener(type, listener as EventListener, options)
  }

  /** @internal */
  connectedCallback(): void {
    this.#adoptProperties()
    this.#view ??= new View(this.attachShadow({ mode: 'open' }), () => void this.cancel())
    this.#start()
  }

  /** @internal */
  disconnectedCallback(): void {
    this.#stop()
  }

  /** @internal */
  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (before === now) return
    // What is called the same elsewhere is something else.
    if (name === 'url') this.#forget()
    if (WATCHED_ATTRIBUTES.includes(name)) this.#restart()
    else this.#show()
  }

  /** What a page has set before the element was defined. */
  #adoptProperties(): void {
    for (const name of ['client', 'token', 'operation', 'cancellable', 'label'] as const) {
      if (!Object.hasOwn(this, name)) continue
      const own = this as unknown as Record<string, unknown>
      const value = own[name]
      Reflect.deleteProperty(own, name)
      own[name] = value
    }
  }

  get #watching(): Holdfast | undefined {
    return this.#client ?? this.#borrowed?.client
  }

  /** At the end of the turn, so that several changes make one. */
  #restart(): void {
    if (!this.isConnected || !this.#view || this.#isRestarting) return
    this.#isRestarting = true
    queueMicrotask(() => {
      this.#isRestarting = false
      if (!this.isConnected) return
      this.#stop()
      this.#start()
    })
  }

  #start(): void {
    const id = this.operation
    if (this.#snapshot?.id !== id) this.#forget()
    this.#error = this.#refusal = undefined
    if (id !== '') this.#begin(id)
    this.#show()
  }

  #begin(id: string): void {
    try {
      if (!this.#client) this.#borrowed = borrowClient(this.getAttribute('url') ?? '/ws', this.token)
    } catch (thrown) {
      return this.#failed(asHoldfastError(thrown, 'invalid_option', 'Cannot connect'))
    }
    const client = this.#watching
    if (!client) return
    this.#leave.push(client.on('state', () => this.#show()))
    const snapshots = client.operation(id)[Symbol.asyncIterator]()
    this.#leave.push(() => void snapshots.return())
    void this.#read(snapshots, this.#turn)
  }

  async #read(snapshots: AsyncGenerator<OperationSnapshot, void, undefined>, turn: number): Promise<void> {
    try {
      for await (const snapshot of snapshots) {
        if (turn !== this.#turn) return
        this.#take(snapshot)
      }
    } catch (thrown) {
      if (turn === this.#turn) this.#failed(asHoldfastError(thrown, 'handler_failed', 'Cannot be watched'))
    }
  }

  #take(snapshot: OperationSnapshot): void {
    const isNews = snapshot.version !== this.#snapshot?.version || snapshot.attempt !== this.#snapshot.attempt
    if (snapshot.state !== 'stalled') this.#heardAt = clock.now()
    this.#snapshot = snapshot
    // Nothing comes after an end; nobody needs a connection for it.
    if (isTerminal(snapshot.state)) this.#stop()
    this.#show()
    if (!isNews) return
    this.#tell('progress', snapshot)
    if (isTerminal(snapshot.state)) this.#tell('ended', snapshot)
  }

  #failed(error: HoldfastError): void {
    this.#stop()
    this.#error = error
    // A client that was disconnected by wish, or refused, may be connected again.
    if (this.#client?.status === 'closed' || this.#client?.status === 'failed') {
      this.#leave.push(this.#client.on('state', ({ state }) => state === 'open' && this.#restart()))
    }
    this.#show()
    this.#tell('problem', error)
  }

  #tell<E extends keyof HoldfastProgressEventMap>(type: E, detail: HoldfastProgressEventMap[E]['detail']): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }))
  }

  #stop(): void {
    this.#turn += 1
    for (const leave of this.#leave.splice(0)) leave()
    this.#borrowed?.release()
    this.#borrowed = undefined
    this.#stopTick?.()
    this.#stopTick = undefined
  }

  #forget(): void {
    this.#snapshot = undefined
    this.#heardAt = undefined
    this.#view?.forget()
  }

  #show(): void {
    if (!this.#view || !this.isConnected) return
    const snapshot = this.#snapshot
    const isStalled = snapshot?.state === 'stalled'
    const isCounting = isStalled || (snapshot?.state === 'running' && snapshot.progress.percent === undefined)
    const watched = {
      operation: this.operation,
      snapshot,
      error: this.#error,
      refusal: this.#refusal,
      status: this.#watching?.status ?? 'idle',
      label: this.label || undefined,
      silentSeconds: isStalled ? this.#silentSeconds(snapshot) : undefined,
      heardSeconds: this.#heardAt === undefined ? 0 : (clock.now() - this.#heardAt) / 1000,
    }
    this.#view.show(faceOf(watched), this.cancellable)
    if (isCounting) this.#stopTick ??= clock.after(TICK_MS, () => this.#tick())
  }

  #tick(): void {
    this.#stopTick = undefined
    this.#show()
  }

  /** From the last word that was heard here; who came later goes by the server's clock. */
  #silentSeconds({ updatedAt }: OperationSnapshot): number {
    return Math.max(0, clock.now() - (this.#heardAt ?? Date.parse(updatedAt))) / 1000
  }
}

/** Makes the element known to the page under a name of your choice. The same name twice does nothing. */
export function defineProgress(name = 'holdfast-progress'): void {
  const registry = globalThis.customElements as CustomElementRegistry | undefined
  if (!registry || registry.get(name)) return
  // A class can be registered once only.
  registry.define(name, name === 'holdfast-progress' ? HoldfastProgress : class extends HoldfastProgress {})
}

defineProgress()

declare global {
  interface HTMLElementTagNameMap {
    'holdfast-progress': HoldfastProgress
  }
}
