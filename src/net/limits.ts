import type { ClientState } from "../commands/client.ts"
import type { ParserLimits } from "./resp/parser.ts"

/** Bytes a client's replies may take: `hard` closes at once, `soft` after `softSeconds` above it; 0 is no limit. */
export interface OutputLimit {
  readonly hard: number
  readonly soft: number
  readonly softSeconds: number
}

/** What configuration says to the network; properties are read anew each time, so CONFIG SET takes effect at once. */
export interface NetSettings extends ParserLimits {
  readonly maxClients: number
  /** Seconds of silence after which a client is closed; 0 never. */
  readonly idleTimeoutSeconds: number
  readonly tcpKeepaliveSeconds: number
  readonly queryBufferBytes: number
  /** Bytes all connections together may take (maxmemory-clients); 0 is no limit. */
  readonly clientsBytes: number
  readonly outputLimit: OutputLimit
  /**
   * Of subscribers, and of connections that monitor, where normal ones have no limit: Redis counts those as normal ones;
   * but what they are sent is not of their choosing either.
   */
  readonly pubsubLimit: OutputLimit
  readonly protectedMode: boolean
  /** Whether a password is set, so that new connections begin unauthenticated. */
  readonly passwordRequired: boolean
}

/**
 * With this much unsent output a connection's requests are not read until its client has caught up: a bound on memory
 * that does not depend on configured limits, yet wide enough for clients that write a long pipeline before they read.
 */
export const outputHighWater = 32 * 1024 * 1024

/** Query buffer of a client that has not authenticated. */
const unauthenticatedQueryBytes = 1024 * 1024

/** Bytes of unread requests a client may have. */
export const queryLimitOf = ({ authenticated }: ClientState, { queryBufferBytes }: NetSettings): number =>
  authenticated ? queryBufferBytes : Math.min(unauthenticatedQueryBytes, queryBufferBytes)

/** Unread replies of a client that has not authenticated: enough for a handshake of some hundred refused commands. */
export const unauthenticatedOutputBytes = 64 * 1024

/** Fewer bytes than this hold no two requests. */
export const worthLookingAhead = 40
