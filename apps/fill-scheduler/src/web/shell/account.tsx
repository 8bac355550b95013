import { type ReactElement, type ReactNode, createContext, use } from 'react'
import type { Account } from '../api/answers.js'

const AccountContext = createContext<Account | undefined>(undefined)

/** Tells the components below who is signed in. */
export function AccountProvider(props: { readonly account: Account; readonly children: ReactNode }): ReactElement {
  return <AccountContext value={props.account}>{props.children}</AccountContext>
}

/** Who is signed in. Throws outside of an `AccountProvider`. */
export function useAccount(): Account {
  const account = use(AccountContext)
  if (!account) throw new Error('useAccount outside of an AccountProvider')
  return account
}
