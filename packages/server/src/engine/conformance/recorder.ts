import type { MemberChange, Receiver, Signal, StreamMessage } from '../engine.js'

/** Writes down what a node hears. */
export class Recorder implements Receiver {
  readonly messages: { epoch: string; message: StreamMessage }[] = []
  readonly signals: Signal[] = []
  readonly changes: MemberChange[] = []
  readonly rotations: string[] = []
  /** How often it was told that announcements may be missing. */
  uncertainties = 0

  message(epoch: string, message: StreamMessage): void {
    this.messages.push({ epoch, message })
  }

  signal(signal: Signal): void {
    this.signals.push(signal)
  }

  members(change: MemberChange): void {
    this.changes.push(change)
  }

  rotated(epoch: string): void {
    this.rotations.push(epoch)
  }

  uncertain(): void {
    this.uncertainties += 1
  }
}
