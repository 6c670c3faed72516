/** The socket of a link to a primary. */
import * as Net from "node:net"

/** The near end of a link. */
export interface Link {
  send(bytes: Uint8Array): void
  /** Stops reading until `resume`. */
  pause(): void
  resume(): void
  close(): void
  readonly localAddress: string
}

/** What a link tells. */
export interface LinkEvents {
  connected(): void
  /** `bytes` are overwritten after the call. */
  received(bytes: Uint8Array, length: number): void
  closed(reason: string): void
}

/** Opens a link; one event of `closed` follows in any case, sooner or later, and never before this has returned. */
export type Dial = (host: string, port: number, events: LinkEvents) => Link

const readBufferBytes = 256 << 10

/** Over TCP, from the address that `from` names; from any where that is no IP address, as Redis does. */
export const dialTcp = (from: () => string): Dial => (host, port, events) => {
  const buffer = Buffer.allocUnsafeSlow(readBufferBytes)
  let reason = "the connection was closed"
  const source = from()
  const socket = Net.connect({
    host,
    port,
    ...Net.isIP(source) === 0 ? {} : { localAddress: source },
    noDelay: true,
    keepAlive: true,
    onread: {
      buffer,
      callback: (length) => {
        events.received(buffer, length)
        return true
      }
    }
  })
  socket.on("connect", () => events.connected())
  socket.on("error", (error) => {
    reason = error.message
  })
  socket.on("close", () => events.closed(reason))
  return {
    send: (bytes) => void socket.write(bytes),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => void socket.destroy(),
    get localAddress() {
      return `${socket.localAddress ?? "?"}:${socket.localPort ?? 0}`
    }
  }
}
