/** Every configuration parameter: the tables of all families, and how a name is looked up. */
import type { Parameter } from "./parameter.ts"
import { persistence } from "./tables/log.ts"
import { memory } from "./tables/memory.ts"
import { network } from "./tables/network.ts"
import { observation } from "./tables/observation.ts"
import { processTable } from "./tables/process.ts"
import { replication } from "./tables/replication.ts"
import { tls } from "./tables/tls.ts"

export type { Parameter } from "./parameter.ts"

/** The families, by what the documentation calls them. */
export const families = {
  "Network and clients": network,
  "Process": processTable,
  "Log, checkpoints and history": persistence,
  "Memory": memory,
  "Observation": observation,
  "Replication and cluster": replication,
  "TLS": tls
} as const

/** The table. Names and meanings are those of redis.conf, but for this server's own. */
export const parameters = {
  ...network,
  ...processTable,
  ...persistence,
  ...memory,
  ...observation,
  ...replication,
  ...tls
} as const

export type Parameters = typeof parameters
export type ParameterName = keyof Parameters
export type ValueOf<Name extends ParameterName> = Parameters[Name] extends Parameter<infer T> ? T : never

const byName = new Map<string, readonly [ParameterName, Parameter<unknown>]>()
for (const [own, row] of Object.entries(parameters) as Array<[ParameterName, Parameter<unknown>]>) {
  for (const name of [own, ...row.aliases ?? []]) byName.set(name, [own, row])
}

/** The row of a name in any case, by its own name or an alias. */
export const parameterNamed = (name: string): readonly [ParameterName, Parameter<unknown>] | undefined =>
  byName.get(name.toLowerCase())
