import type { ClientState } from "../client.ts"

/** Whether a client is on this machine: the loopback interface or a Unix socket, whose address is its path. */
export const isLocal = ({ address }: ClientState): boolean => /^(127\.|\[::1\]|\[::ffff:127\.|\/)/.test(address)
