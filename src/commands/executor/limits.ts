import type { Configuration } from "../../config/config.ts"
import type { Limits } from "../../projections/limits.ts"
import { maximumStringBytes } from "../string/range.ts"
import type { CommandExecutor } from "./executor.ts"

/** The parameters that say up to what size values are held in their small form, each with the limit it sets. */
const parameters = {
  "hash-max-listpack-entries": "hashEntries",
  "hash-max-listpack-value": "hashBytes",
  "list-max-listpack-size": "listFill",
  "set-max-intset-entries": "intsetEntries",
  "set-max-listpack-entries": "setEntries",
  "set-max-listpack-value": "setBytes",
  "zset-max-listpack-entries": "sortedSetEntries",
  "zset-max-listpack-value": "sortedSetBytes",
  "hll-sparse-max-bytes": "sparseHyperLogLogBytes",
  "stream-node-max-bytes": "streamNodeBytes",
  "stream-node-max-entries": "streamNodeEntries"
} as const satisfies Record<string, keyof Limits>
type Name = keyof typeof parameters
const names = Object.keys(parameters) as Array<Name>

/** Gives an executor and its data the limits of the configuration, now and whenever CONFIG SET changes them. */
export const followLimits = ({ keyspace, tracking, view }: CommandExecutor, configuration: Configuration): void => {
  const limitStrings = (): void => {
    view.stringLimit = Math.min(maximumStringBytes, configuration.get("proto-max-bulk-len"))
  }
  const limitTracking = (): void => {
    tracking.limit = configuration.get("tracking-table-max-keys")
  }
  limitStrings()
  limitTracking()
  for (const name of names) keyspace.limits[parameters[name]] = configuration.get(name)
  configuration.onChange((name) => {
    if (name in parameters) keyspace.limits[parameters[name as Name]] = configuration.get(name as Name)
    else if (name === "proto-max-bulk-len") limitStrings()
    else if (name === "tracking-table-max-keys") limitTracking()
  })
}
