import { ClientState } from "../commands/client.ts"
import type { ClientMemory, ConnectionPort, StreamOutlet } from "../commands/ports.ts"

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

/** A connection this server has opened itself, to its primary: to be seen among the others, and closed like them. */
export class Guest implements ConnectionPort {
  readonly client: ClientState
  readonly outputBytes = 0
  readonly fd = -1
  readonly blocked = false
  private readonly close: () => void

  constructor(id: number, address: string, localAddress: string, now: number, close: () => void) {
    this.client = new ClientState(id, address, localAddress, now)
    this.client.role = "master"
    this.client.authenticated = true
    this.close = close
  }

  memory(): ClientMemory {
    return nothing
  }

  kill(): void {
    this.close()
  }

  closeAfterReply(): void {
    this.close()
  }

  /** Nobody asks anything here, so there is nothing to answer, to wait for or to push. */
  setReplyMode(): void {}
  unblock(): boolean {
    return false
  }
  awaitAnswer(): void {}
  answer(): void {}
  push(): void {}
  deliver(): void {}
  confirm(): void {}
  handOver(): StreamOutlet {
    return { waiting: 0, send: () => {}, destroy: () => this.close() }
  }
}
