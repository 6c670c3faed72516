import { ClientState } from "../commands/client.ts"
import { SilentConnection } from "../commands/silent-connection.ts"

/** A connection this server has opened itself, to its primary: to be seen among the others, and closed like them. */
export class Guest extends SilentConnection {
  private readonly close: () => void

  constructor(id: number, address: string, localAddress: string, now: number, close: () => void) {
    super(new ClientState(id, address, localAddress, now))
    this.client.role = "master"
    this.client.authenticated = true
    this.close = close
  }

  override kill(): void {
    this.close()
  }

  override closeAfterReply(): void {
    this.close()
  }
}
