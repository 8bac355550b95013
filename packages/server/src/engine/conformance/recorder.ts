import type { PresenceChange, Receiver, Signal, StreamMessage } from '../engine.js'

/** Writes down what a node hears. */
export class Recorder implements Receiver {
  readonly messages: { epoch: string; message: StreamMessage }[] = []
  readonly signals: Signal[] = []
  readonly changes: PresenceChange[] = []
  readonly rotations: string[] = []

  message(epoch: string, message: StreamMessage): void {
    this.messages.push({ epoch, message })
  }

  signal(signal: Signal): void {
    this.signals.push(signal)
  }

  presence(change: PresenceChange): void {
    this.changes.push(change)
  }

  rotated(epoch: string): void {
    this.rotations.push(epoch)
  }
}
