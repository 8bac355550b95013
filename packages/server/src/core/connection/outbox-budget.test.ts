import { describe, expect, it } from 'vitest'
import { OutboxBudget, type Sheddable } from './outbox-budget.js'

class Queue implements Sheddable {
  queuedBytes = 0
  isShed = false
  readonly #budget: OutboxBudget

  constructor(budget: OutboxBudget) {
    this.#budget = budget
  }

  add(bytes: number): void {
    this.queuedBytes += bytes
    if (bytes > 0) this.#budget.grow(this, bytes)
    else this.#budget.shrink(this, -bytes)
  }

  shed(): void {
    this.isShed = true
    this.add(-this.queuedBytes)
  }
}

describe('the budget of all queues', () => {
  it('gives up the largest queue when they hold too much together, and no other', () => {
    const budget = new OutboxBudget(100)
    const [small, large, other] = [new Queue(budget), new Queue(budget), new Queue(budget)]
    small.add(20)
    large.add(50)
    other.add(30)
    expect([small.isShed, large.isShed, other.isShed]).toEqual([false, false, false])
    small.add(1)
    expect([small.isShed, large.isShed, other.isShed]).toEqual([false, true, false])
    expect(budget.bytes).toBe(51)
  })

  it('gives up as many as it takes', () => {
    const budget = new OutboxBudget(100)
    const queues = Array.from({ length: 10 }, () => new Queue(budget))
    for (const queue of queues) queue.add(10)
    new Queue(budget).add(95)
    expect(budget.bytes).toBeLessThanOrEqual(100)
  })

  it('gives up the one that grows, when it is the largest', () => {
    const budget = new OutboxBudget(100)
    const queue = new Queue(budget)
    queue.add(101)
    expect([queue.isShed, budget.bytes]).toEqual([true, 0])
  })

  it('admits nobody new while it is nearly used up', () => {
    const budget = new OutboxBudget(100)
    const queue = new Queue(budget)
    queue.add(91)
    expect(budget.admits).toBe(false)
    queue.add(-1)
    expect(budget.admits).toBe(true)
  })
})
