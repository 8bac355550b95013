import {
  type Context,
  type ReactElement,
  type ReactNode,
  createContext,
  createElement,
  useContext,
  useEffect,
  useRef,
  useState,
} from 'react'
import { HoldfastError } from '../errors.js'
import { Holdfast } from '../holdfast.js'
import type { HoldfastOptions } from '../options.js'
import type { TokenOption } from '../token.js'

const HoldfastContext: Context<Holdfast | undefined> = createContext<Holdfast | undefined>(undefined)

/** What the provider gives to the components below it: a client of yours, or one that it makes. */
export type HoldfastProviderProps = { readonly children?: ReactNode } & (
  | {
      /** Connects and ends as you say; the provider leaves it as it is. */
      readonly client: Holdfast
    }
  | {
      readonly client?: undefined
      /** The provider connects in the browser, once, and disconnects when it goes. Another address is another connection. */
      readonly url: string
      /** May be another function at every rendering; the newest is asked. */
      readonly token?: TokenOption
      /** As they are at first. */
      readonly options?: Omit<HoldfastOptions, 'token'>
    }
)

/** Gives a client to the hooks below it. On a server it connects to nothing, and the hooks answer what they do before the first connection. */
export function HoldfastProvider(props: HoldfastProviderProps): ReactElement {
  const own = useOwnClient(props.client ? undefined : props)
  return createElement(HoldfastContext.Provider, { value: props.client ?? own }, props.children)
}

/** The client of the nearest provider. Undefined on a server and, where the provider makes it, in the first rendering. */
export function useHoldfast(): Holdfast | undefined {
  return useContext(HoldfastContext)
}

interface OwnProps {
  readonly url: string
  readonly token?: TokenOption
  readonly options?: Omit<HoldfastOptions, 'token'>
}

interface Held {
  readonly url: string
  readonly client: Holdfast
  uses: number
}

function useOwnClient(props: OwnProps | undefined): Holdfast | undefined {
  const latest = useRef(props)
  const held = useRef<Held>(undefined)
  const [client, setClient] = useState<Holdfast>()
  useEffect(() => {
    latest.current = props
  })
  const url = props?.url
  useEffect(() => {
    if (url === undefined) return setClient(undefined)
    const mine = held.current?.url === url ? held.current : hold(url, latest)
    held.current = mine
    mine.uses += 1
    setClient(mine.client)
    return () => {
      mine.uses -= 1
      // At the end of the turn: React's strict mode ends and begins every effect once, and means the same connection.
      queueMicrotask(() => {
        if (mine.uses > 0) return
        mine.client.disconnect()
        if (held.current === mine) held.current = undefined
      })
    }
  }, [url])
  return client
}

function hold(url: string, latest: { readonly current: OwnProps | undefined }): Held {
  const { options, token } = latest.current ?? {}
  const asked = token === undefined ? {} : { token: () => tokenOf(latest.current?.token) }
  return { url, client: new Holdfast(url, { name: 'holdfast-react', ...options, ...asked }), uses: 0 }
}

function tokenOf(token: TokenOption | undefined): ReturnType<Exclude<TokenOption, string>> {
  return typeof token === 'function' ? token() : token
}

/** Why nothing can be done yet. */
export function notConnected(): Promise<never> {
  return Promise.reject(new HoldfastError('disconnected', 'There is no client yet', { retryable: true }))
}
