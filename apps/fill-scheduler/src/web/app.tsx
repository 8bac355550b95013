import { HoldfastProvider } from '@holdfast/client/react'
import { type ReactElement, useEffect, useState, useSyncExternalStore } from 'react'
import { api } from './api/api.js'
import { isPassing, messageOf } from './api/request.js'
import { useLoaded } from './api/use-loaded.js'
import { newKey } from './api/wishes.js'
import { awaitCode, takeCode } from './session/one-time-code.js'
import { SignIn } from './session/sign-in.js'
import { SignInAgain } from './session/sign-in-again.js'
import { begin, currentSession, heldSince, onSession } from './session/session.js'
import { AccountProvider } from './shell/account.js'
import { Failed, Loading } from './shell/states.js'
import { Shell } from './shell/shell.js'
import { ChangesProvider } from './shell/changes.js'

// Taken as the page begins: it never stays in the address, whatever becomes of it.
const code = takeCode()
awaitCode()

/** The whole page: whoever is signed in sees the product, everybody else signs in. */
export function App(): ReactElement {
  const session = useSyncExternalStore(onSession, currentSession)
  const since = useSyncExternalStore(onSession, heldSince)
  /** The session whose pages are here: when it runs out they stay, for whoever signs in again. */
  const [shown, setShown] = useState<number>()
  const redemption = useRedemption()
  if (redemption === 'under way') return <Loading what="Signing you in" />
  if (since === undefined || (!session && shown !== since)) return <SignIn {...redemption} />
  return (
    <HoldfastProvider
      url="/ws"
      token={() => currentSession()?.token ?? ''}
      options={{ name: 'fill-scheduler' }}
      key={since}
    >
      <SignedIn since={since} onShown={() => setShown(since)} />
    </HoldfastProvider>
  )
}

function SignedIn(props: { readonly since: number; readonly onShown: () => void }): ReactElement {
  const { since, onShown } = props
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
        {!session && <SignInAgain since={since} isByLink={isByLink} />}
      </AccountProvider>
    )
  if (error) return <Failed error={error} onRetry={reload} />
  return <Loading what="Loading your account" />
}

/** What became of the code of a one-time link: why it leads nowhere, and whether it still may. */
function useRedemption(): Redemption | undefined {
  const [state, setState] = useState<Redemption | undefined>(code === undefined ? undefined : 'under way')
  const [round, setRound] = useState(0)
  useEffect(() => {
    if (code === undefined) return
    setState('under way')
    void redeemed(code, round).then((error) => {
      const onAgain = isPassing(error) ? () => setRound(round + 1) : undefined
      setState(error === undefined ? undefined : { problem: messageOf(error), onAgain })
    })
  }, [round])
  return state
}

type Redemption = 'under way' | { readonly problem: string; readonly onAgain: (() => void) | undefined }

/** Ours alone: by it the code is good again, if the answer gets lost. */
const secret = newKey()
const redemptions: Promise<unknown>[] = []

/** Once each round: React's strict mode asks twice. Resolves with what went wrong. */
function redeemed(one: string, round: number): Promise<unknown> {
  redemptions[round] ??= api.redeem({ code: one, by: secret }).then(
    (granted) => begin(granted, 'link'),
    (error: unknown) => (currentSession() ? undefined : error),
  )
  return redemptions[round]
}
