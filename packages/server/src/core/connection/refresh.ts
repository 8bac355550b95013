import type { Authentication } from '../../access/authenticator.js'
import type { Identity } from '../../access/identity.js'
import type { Connection } from './connection.js'
import { HoldfastError } from '../errors.js'

const NOT_THE_SAME = 'token must be valid, and of the same tenant and user'

/**
 * Gives a connection the identity of a refreshed token: of the same tenant and user, with other rights or another lifetime.
 *
 * @throws HoldfastError `permission_denied`, in the same words for whatever is wrong with the token.
 */
export async function refreshIdentity(connection: Connection, token: string): Promise<void> {
  const { authenticator, decideArrival, revocations } = connection.services
  const turn = connection.admitted.askRefresh()
  const known = await authenticator.authenticate(token)
  const identity = sameIdentity(connection, known)
  const decided = await decideArrival({ identity }, connection)
  if (!('identity' in decided)) throw refusal(connection, decided.detail, 'this token is not to be used here')
  // Withdrawn while the rest was asked for: it was not found among those that live here.
  if (revocations.isWithdrawn(decided.identity)) throw refusal(connection, 'the token was withdrawn')
  if (!connection.isOpen) return
  record(connection, 'auth.refreshed')
  await connection.changeIdentity(decided.identity, turn)
}

function sameIdentity(connection: Connection, result: Authentication): Identity {
  if (!('identity' in result)) throw refusal(connection, result.detail)
  const { tenant, user } = connection.identity
  if (result.identity.tenant !== tenant) throw refusal(connection, 'of another tenant')
  if (result.identity.user !== user) throw refusal(connection, 'of another user')
  return result.identity
}

function refusal(connection: Connection, reason: string, message: string = NOT_THE_SAME): HoldfastError {
  record(connection, 'auth.failed', reason)
  return new HoldfastError('permission_denied', message)
}

function record(connection: Connection, event: 'auth.failed' | 'auth.refreshed', reason?: string): void {
  const { id, address, identity, services } = connection
  const { tenant, user } = identity
  services.audit.record(event, { tenant, user, connection: id, address, rule: 'refresh', reason })
}
