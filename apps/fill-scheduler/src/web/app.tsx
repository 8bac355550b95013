import { HoldfastProvider } from '@holdfast/client/react'
import { type ReactElement, useEffect, useState, useSyncExternalStore } from 'react'
import { api } from './api/api.js'
import { messageOf } from './api/request.js'
import { useLoaded } from './api/use-loaded.js'
import { takeCode } from './session/one-time-code.js'
import { SignIn } from './session/sign-in.js'
import { SignInAgain } from './session/sign-in-again.js'
import { begin, currentSession, heldSince, onSession } from './session/session.js'
import { AccountProvider } from './shell/account.js'
import { Failed, Loading } from './shell/states.js'
import { Shell } from './shell/shell.js'
import { ChangesProvider } from './shell/changes.js'

// Taken as the page begins: it never stays in the address, whatever becomes of it.
const code = takeCode()

/** The whole page: whoever is signed in sees the product, everybody else signs in. */
export function App(): ReactElement {
  const session = useSyncExternalStore(onSession, currentSession)
  const since = useSyncExternalStore(onSession, heldSince)
  /** The session whose pages are here: when it runs out they stay, for whoever signs in again. */
  const [shown, setShown] = useState<number>()
  const redemption = useRedemption()
  if (redemption === 'under way') return <Loading what="Signing you in" />
  if (since === undefined || (!session && shown !== since))
    return <SignIn {...(redemption ? { problem: redemption } : {})} />
  return (
    <HoldfastProvider
      url="/ws"
      token={() => currentSession()?.token ?? ''}
      options={{ name: 'fill-scheduler' }}
      key={since}
    >
      <SignedIn onShown={() => setShown(since)} />
    </HoldfastProvider>
  )
}

function SignedIn({ onShown }: { readonly onShown: () => void }): ReactElement {
  const session = useSyncExternalStore(onSession, currentSession)
  const { value, error, reload } = useLoaded('account', api.account)
  const [isByLink, setIsByLink] = useState(false)
  const isKnown = value !== undefined
  useEffect(() => {
    if (isKnown) onShown()
    if (session) setIsByLink(session.isByLink)
  }, [isKnown, session])
  if (value)
    return (
      <AccountProvider account={value}>
        <ChangesProvider>
          <Shell />
        </ChangesProvider>
        {!session && <SignInAgain isByLink={isByLink} />}
      </AccountProvider>
    )
  if (error) return <Failed error={error} onRetry={reload} />
  return <Loading what="Loading your account" />
}

/** What became of the code of a one-time link: a message where it is no good any more. */
function useRedemption(): string | undefined {
  const [state, setState] = useState(code === undefined ? undefined : 'under way')
  useEffect(() => {
    if (code !== undefined) void redeemed(code).then(setState)
  }, [])
  return state
}

let redemption: Promise<string | undefined> | undefined

/** Once only: React's strict mode asks twice, and a code is good for one time. */
function redeemed(code: string): Promise<string | undefined> {
  redemption ??= api.redeem(code).then(
    (granted) => void begin(granted, 'link'),
    (error: unknown) => (currentSession() ? undefined : messageOf(error)),
  )
  return redemption
}
