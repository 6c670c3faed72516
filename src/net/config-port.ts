import type { ConfigPort } from "../commands/ports.ts"
import type { Configuration } from "../config/config.ts"
import { parameterNamed } from "../config/parameters.ts"
import { rewriteFile } from "../config/rewrite.ts"
import { Slice } from "../projections/memory/slice.ts"
import { matchGlobAnyCase } from "../projections/structures/glob.ts"
import type { NetSettings } from "./limits.ts"

/** CONFIG over the server's configuration. */
export const makeConfigPort = (configuration: Configuration): ConfigPort => ({
  matching: (pattern) => {
    // A name without wildcards is answered as it was asked for, in its letter case.
    if (!/[*?[\\]/.test(pattern)) {
      const found = parameterNamed(pattern)
      return found === undefined ? [] : [[pattern, configuration.print(found[0])] as const]
    }
    const glob = Slice.utf8(pattern)
    return [...configuration.printed()].filter(([name]) => matchGlobAnyCase(glob, Slice.utf8(name)))
  },
  get: (name) => {
    const found = parameterNamed(name)
    return found === undefined ? "" : configuration.print(found[0])
  },
  rewrite: () => configuration.file === "" ? undefined : rewriteFile(configuration.file, configuration),
  set: (pairs, local) => {
    const allowed = configuration.get("enable-protected-configs")
    return configuration.changeAll(pairs, allowed === "yes" || (allowed === "local" && local))
  }
})

/** maxmemory-clients in bytes; a percentage is one of maxmemory, and without that no limit. */
const clientsBytes = (configuration: Configuration): number => {
  const value = configuration.get("maxmemory-clients")
  return value >= 0 ? value : Math.floor(-value / 100 * configuration.get("maxmemory"))
}

const readSettings = (configuration: Configuration): NetSettings => ({
  maxBulkBytes: configuration.get("proto-max-bulk-len"),
  maxClients: configuration.get("maxclients"),
  idleTimeoutSeconds: configuration.get("timeout"),
  tcpKeepaliveSeconds: configuration.get("tcp-keepalive"),
  queryBufferBytes: configuration.get("client-query-buffer-limit"),
  clientsBytes: clientsBytes(configuration),
  outputLimit: configuration.get("client-output-buffer-limit").normal,
  pubsubLimit: configuration.get("client-output-buffer-limit").pubsub,
  protectedMode: configuration.get("protected-mode"),
  passwordRequired: configuration.get("requirepass") !== ""
})

/** The network's settings: plain fields, for the parser reads them per argument, kept up with CONFIG SET. */
export const netSettings = (configuration: Configuration): NetSettings => {
  const settings = readSettings(configuration)
  configuration.onChange(() => Object.assign(settings, readSettings(configuration)))
  return settings
}
