import type { Configuration } from "../../config/config.ts"
import type { Keyspace } from "../../projections/keyspace.ts"
import type { Limits } from "../../projections/limits.ts"

/** The parameters that say up to what size collections are small, each with the limit it sets. */
const parameters = {
  "hash-max-listpack-entries": "hashEntries",
  "hash-max-listpack-value": "hashBytes",
  "list-max-listpack-size": "listFill",
  "set-max-intset-entries": "intsetEntries",
  "set-max-listpack-entries": "setEntries",
  "set-max-listpack-value": "setBytes",
  "zset-max-listpack-entries": "sortedSetEntries",
  "zset-max-listpack-value": "sortedSetBytes"
} as const satisfies Record<string, keyof Limits>
type Name = keyof typeof parameters
const names = Object.keys(parameters) as Array<Name>

/** Gives a keyspace the limits of the configuration, now and whenever CONFIG SET changes them. */
export const followLimits = (keyspace: Keyspace, configuration: Configuration): void => {
  for (const name of names) keyspace.limits[parameters[name]] = configuration.get(name)
  configuration.onChange((name) => {
    if (name in parameters) keyspace.limits[parameters[name as Name]] = configuration.get(name as Name)
  })
}
