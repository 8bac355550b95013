import { type ReactElement, useState } from 'react'
import { api } from '../api/api.js'
import { Link } from '../navigation/link.js'
import { end } from '../session/session.js'
import { useAccount } from './account.js'
import { Menu } from './menu.js'
import { THEMES, type Theme, applyTheme, chosenTheme } from './theme.js'

/** Who is signed in; looks, the interface for programs, the way out. */
export function AccountMenu(): ReactElement {
  const { email } = useAccount()
  const [theme, setTheme] = useState(chosenTheme)
  const choose = (next: Theme): void => {
    applyTheme(next)
    setTheme(next)
  }
  const signOut = (): void => {
    // Whether or not, and however late, the server hears of it: this browser forgets the token now.
    api.logout().catch(() => {})
    end('wished')
  }
  return (
    <Menu label={`Account ${email}`} face={<Initial of={email} />} className="account">
      <p className="menu-title">{email}</p>
      <fieldset className="segments">
        <legend>Looks</legend>
        {THEMES.map((name) => (
          <label key={name}>
            <input type="radio" name="theme" checked={theme === name} onChange={() => choose(name)} />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
      <Link to={{ page: 'account' }}>Password and account</Link>
      <a href="/docs" target="_blank" rel="noopener">
        Interface for programs
      </a>
      <button type="button" onClick={signOut}>
        Sign out
      </button>
    </Menu>
  )
}

function Initial({ of }: { readonly of: string }): ReactElement {
  return <span className="initial">{of.slice(0, 1).toUpperCase()}</span>
}
