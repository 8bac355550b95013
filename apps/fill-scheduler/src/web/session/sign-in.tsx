import { type ReactElement, type SubmitEvent, useState } from 'react'
import { api } from '../api/api.js'
import { RequestError, isSessionOver, messageOf } from '../api/request.js'
import { Brand } from '../shell/brand.js'
import { Notice } from '../shell/notice.js'
import { TryAgain } from '../shell/states.js'
import { formText } from './form-text.js'
import { type Granted, begin, farewellMessage } from './session.js'

type Way = 'sign in' | 'register'

const WORDS = {
  'sign in': { title: 'Sign in', submit: 'Sign in', other: 'Create an account', question: 'New here?' },
  register: { title: 'Create an account', submit: 'Create account', other: 'Sign in', question: 'Have an account?' },
} as const

/** Where one signs in or creates an account. With a problem it says so, and offers to do `onAgain` what it came of. */
export function SignIn(props: {
  readonly problem?: string
  readonly onAgain?: (() => void) | undefined
}): ReactElement {
  const { problem, onAgain } = props
  const [way, setWay] = useState<Way>('sign in')
  const words = WORDS[way]
  return (
    <main className="entrance">
      <div className="entrance-card">
        <Brand />
        <p className="lead">Which lot when, in which clean window, on which line.</p>
        <h1>{words.title}</h1>
        {farewellMessage() && <Notice tone="info">{farewellMessage()}</Notice>}
        {problem && (
          <Notice tone="bad">
            {problem} {onAgain && <TryAgain onAgain={onAgain} />}
          </Notice>
        )}
        <Credentials way={way} key={way} />
        <p className="muted">
          {words.question}{' '}
          <button type="button" className="as-link" onClick={() => setWay(way === 'register' ? 'sign in' : 'register')}>
            {words.other}
          </button>
        </p>
      </div>
    </main>
  )
}

function Credentials({ way }: { readonly way: Way }): ReactElement {
  const [problem, setProblem] = useState<string>()
  const [isBusy, setIsBusy] = useState(false)
  const isNew = way === 'register'
  const submit = async (form: FormData): Promise<void> => {
    setIsBusy(true)
    setProblem(undefined)
    try {
      const credentials = { email: formText(form, 'email').trim(), password: formText(form, 'password') }
      begin(isNew ? await registered(credentials) : await api.login(credentials), credentials)
    } catch (error) {
      setProblem(messageOf(error))
      setIsBusy(false)
    }
  }
  const onSubmit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    if (!isBusy) void submit(new FormData(event.currentTarget))
  }
  return (
    <form className="stack" onSubmit={onSubmit} aria-busy={isBusy}>
      <label className="field">
        <span>E-mail address</span>
        <input name="email" type="email" autoComplete="username" required maxLength={254} autoFocus />
      </label>
      <label className="field">
        <span>Password</span>
        <input
          name="password"
          type="password"
          autoComplete={isNew ? 'new-password' : 'current-password'}
          required
          minLength={isNew ? 8 : 1}
          maxLength={256}
        />
        {isNew && <small>At least 8 characters.</small>}
      </label>
      {problem && <Notice tone="bad">{problem}</Notice>}
      <button type="submit" className="primary wide" aria-disabled={isBusy}>
        {isBusy ? 'One moment …' : WORDS[way].submit}
      </button>
    </form>
  )
}

interface Written {
  readonly email: string
  readonly password: string
}

/** Opens an account and signs in. An account that is there already may be the one of a first try whose answer was lost: then the password is right. */
async function registered(credentials: Written): Promise<Granted> {
  try {
    await api.register(credentials)
  } catch (taken) {
    if (!(taken instanceof RequestError && taken.code === 'email_taken')) throw taken
    return api.login(credentials).catch((error: unknown) => {
      throw isSessionOver(error) ? taken : error
    })
  }
  return api.login(credentials)
}
