import type { ClientState } from "./client.ts"
import type { ClientMemory, ConnectionPort, StreamOutlet } from "./ports.ts"

const nothing: ClientMemory = {
  query: 0,
  queryFree: 0,
  argv: 0,
  multi: 0,
  replyBuffer: 0,
  replyPeak: 0,
  replyUsed: 0,
  outputPieces: 0,
  output: 0,
  total: 0
}

/** A connection that nobody reads: there is nothing to answer, to wait for or to push. */
export class SilentConnection implements ConnectionPort {
  readonly client: ClientState
  readonly outputBytes = 0
  readonly fd = -1
  readonly blocked = false
  readonly closing = false

  constructor(client: ClientState) {
    this.client = client
  }

  memory(): ClientMemory {
    return nothing
  }

  closeAfterReply(): void {}
  kill(): void {}
  setReplyMode(): void {}
  unblock(): boolean {
    return false
  }
  awaitAnswer(): void {}
  answer(): void {}
  push(): void {}
  deliver(): void {}
  confirm(): void {}

  unmasks(): boolean {
    return false
  }
  handOver(): StreamOutlet {
    return { waiting: 0, send: () => {}, destroy: () => this.kill() }
  }
}
