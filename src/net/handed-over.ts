import type { StreamOutlet } from "../commands/ports.ts"
import type { SessionHost } from "./session-host.ts"
import type { Outlet } from "./transport.ts"

/** What the owner of a connection that was handed over sends with. */
export const outletFor = (
  session: { kill(): void },
  transport: Outlet,
  host: Pick<SessionHost, "countOutput">
): StreamOutlet => ({
  get waiting() {
    return transport.waiting
  },
  send: (bytes, length) => {
    host.countOutput(length)
    transport.send(bytes, length)
  },
  destroy: () => session.kill()
})
