import { HoldfastProvider } from '@holdfast/client/react'
import { type ReactElement, useEffect, useState, useSyncExternalStore } from 'react'
import { api } from './api/api.js'
import { messageOf } from './api/request.js'
import { useLoaded } from './api/use-loaded.js'
import { takeCode } from './session/one-time-code.js'
import { SignIn } from './session/sign-in.js'
import { begin, currentSession, onSession } from './session/session.js'
import { AccountProvider } from './shell/account.js'
import { Failed, Loading } from './shell/states.js'
import { Shell } from './shell/shell.js'

// Taken as the page begins: it never stays in the address, whatever becomes of it.
const code = takeCode()

/** The whole page: whoever is signed in sees the product, everybody else signs in. */
export function App(): ReactElement {
  const session = useSyncExternalStore(onSession, currentSession)
  const redemption = useRedemption()
  if (redemption === 'under way') return <Loading what="Signing you in" />
  if (!session) return <SignIn {...(redemption ? { problem: redemption } : {})} />
  return (
    <HoldfastProvider
      url="/ws"
      token={() => currentSession()?.token ?? ''}
      options={{ name: 'fill-scheduler' }}
      key={session.since}
    >
      <SignedIn />
    </HoldfastProvider>
  )
}

function SignedIn(): ReactElement {
  const { value, error, reload } = useLoaded('account', api.account)
  if (value)
    return (
      <AccountProvider account={value}>
        <Shell />
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
    (granted) => void begin(granted, true),
    (error: unknown) => (currentSession() ? undefined : messageOf(error)),
  )
  return redemption
}
