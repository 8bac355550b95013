import type { OperationSnapshot } from '@holdfast/protocol'
import { HoldfastError } from '../../core/errors.js'
import { operationChannel } from '../../operations/store.js'
import type { Call } from '../route.js'

/** Who asks, and where. */
export type Asking = Pick<Call, 'node' | 'bearer'>

/**
 * The operation, if the bearer may watch it: its own or shared with it by the rule of its channel, or any with the permission `operations`.
 *
 * @throws HoldfastError `not_found`, the same for what belongs to another and for what does not exist.
 */
export async function watched(asking: Asking, id: string): Promise<OperationSnapshot> {
  const { node, bearer } = asking
  const snapshot = await node.operations.find(bearer.identity.tenant, id)
  if (snapshot !== undefined && ((await isAllowed(asking, id)) || mayWork(asking, snapshot))) return snapshot
  node.services.authorisation.denied(bearer, operationChannel(id), 'operation')
  throw new HoldfastError('not_found')
}

/**
 * The operation, if the bearer may work on it: report, take, end.
 *
 * @throws HoldfastError `not_found` where it may not even watch, `permission_denied` where it may no more than that.
 */
export async function worked(asking: Asking, id: string): Promise<OperationSnapshot> {
  const snapshot = await watched(asking, id)
  if (mayWork(asking, snapshot)) return snapshot
  asking.node.services.authorisation.denied(asking.bearer, operationChannel(id), 'report')
  throw new HoldfastError('permission_denied', 'reporting on this operation takes the permission operations')
}

/**
 * The same where nobody asks how the operation stands: who may work on all of them is spared the look, since the desk says itself what does not exist.
 *
 * @throws HoldfastError like `worked`.
 */
export async function mayReport(asking: Asking, id: string): Promise<void> {
  if (!asking.bearer.has('operations')) await worked(asking, id)
}

/** @throws HoldfastError `permission_denied` unless the bearer may begin an operation of this owner. */
export function checkOwner({ node, bearer }: Asking, owner: string): void {
  if (bearer.has('operations') || (bearer.has('operations.own') && owner === bearer.identity.user)) return
  node.services.authorisation.denied(bearer, operationChannel('*'), 'start')
  const needed = owner === bearer.identity.user ? 'operations or operations.own' : 'operations'
  throw new HoldfastError('permission_denied', `starting this operation takes the permission ${needed}`)
}

function mayWork({ bearer }: Asking, { owner }: OperationSnapshot): boolean {
  return bearer.has('operations') || (bearer.has('operations.own') && owner === bearer.identity.user)
}

async function isAllowed({ node, bearer }: Asking, id: string): Promise<boolean> {
  const { rules } = node.services
  const channel = operationChannel(id)
  const rule = rules.ruleOf(channel, bearer.identity)
  if (rule === undefined) return false
  return rules.judge(rule, { identity: bearer.identity, verb: 'subscribe', channel, connection: bearer.id })
}
