import { api } from '../api/api.js'
import { isPassing, isSessionOver } from '../api/request.js'
import { currentSession, end, heldSince, refuse, renew, whileChanging } from '../session/session.js'

/**
 * Sets another password, and goes on with the token that comes of it. Where the answer is lost, or the token was withdrawn by a try whose answer was, it tries the new
 * password: whether that is good tells what became of it. Throws a `RequestError` where it was not set, or nobody knows.
 */
export async function changePassword(email: string, current: string, next: string): Promise<void> {
  const [token, since] = [currentSession()?.token, heldSince()]
  const refusal = await whileChanging(async () => {
    try {
      renew(await api.changePassword(current, next), since)
      return undefined
    } catch (error) {
      if (!isPassing(error) && !isSessionOver(error)) throw error
      const granted = await api.login({ email, password: next }).catch(() => undefined)
      if (granted === undefined) return error
      renew(granted, since)
      return undefined
    }
  })
  if (refusal === undefined) return
  if (isSessionOver(refusal) && token !== undefined) refuse(token)
  throw refusal
}

/**
 * Closes the account and ends the session. Where the answer is lost the token tells what became of it: one of a closed account is good no more. Throws a `RequestError`
 * where it was not closed, or nobody knows.
 */
export async function closeAccount(password: string): Promise<void> {
  const since = heldSince()
  await whileChanging(async () => {
    try {
      await api.closeAccount(password)
    } catch (error) {
      if (!isPassing(error)) throw error
      const isClosed = await api.account().then(
        () => false,
        (lost: unknown) => isSessionOver(lost),
      )
      if (!isClosed) throw error
    }
    end('closed', since)
  })
}
