/**
 * INFO: the state of the server as sections of name:value. Every section and field of Redis 7.0 is there, in its order,
 * because programs look for them; one whose subject does not exist here has the value it has in a Redis that does not use
 * it. Fields of our own stand at the end of their section, and those of the log in a section of its own.
 */
import { Verbatim } from "../../net/resp/reply.ts"
import { word } from "../arguments.ts"
import { type Argv, defineControl } from "../define.ts"
import type { Control } from "../ports.ts"
import { replicationSection } from "../replication/info.ts"
import type { Fields } from "./info-format.ts"
import { memorySection } from "./info-memory.ts"
import { eventLogSection, persistenceSection } from "./info-persistence.ts"
import { clientsSection, clusterSection, cpuSection, modulesSection, serverSection } from "./info-server.ts"
import {
  commandStatsSection,
  errorStatsSection,
  keyspaceSection,
  latencyStatsSection,
  statsSection
} from "./info-stats.ts"

/** Name, title, whether it is shown unasked, and the fields. */
const sections: ReadonlyArray<readonly [string, string, boolean, (control: Control) => Fields]> = [
  ["SERVER", "Server", true, serverSection],
  ["CLIENTS", "Clients", true, clientsSection],
  ["MEMORY", "Memory", true, memorySection],
  ["PERSISTENCE", "Persistence", true, persistenceSection],
  ["EVENTLOG", "Eventlog", true, eventLogSection],
  ["STATS", "Stats", true, statsSection],
  ["REPLICATION", "Replication", true, replicationSection],
  ["CPU", "CPU", true, cpuSection],
  ["MODULES", "Modules", true, modulesSection],
  ["COMMANDSTATS", "Commandstats", false, commandStatsSection],
  ["ERRORSTATS", "Errorstats", true, errorStatsSection],
  ["LATENCYSTATS", "Latencystats", false, latencyStatsSection],
  ["CLUSTER", "Cluster", true, clusterSection],
  ["KEYSPACE", "Keyspace", true, keyspaceSection]
]

const wantedSections = (argv: Argv): ReadonlySet<string> => {
  const wanted = new Set<string>()
  const addWhere = (fits: (shown: boolean) => boolean): void => {
    for (const [name, , shown] of sections) if (fits(shown)) wanted.add(name)
  }
  if (argv.length === 1) addWhere((shown) => shown)
  for (let i = 1; i < argv.length; i++) {
    const name = word(argv.at(i))
    if (name === "ALL" || name === "EVERYTHING") addWhere(() => true)
    else if (name === "DEFAULT") addWhere((shown) => shown)
    else wanted.add(name)
  }
  return wanted
}

export const info = defineControl({
  name: "INFO",
  since: "1.0.0",
  group: "server",
  summary: "Answers the state of the server and its counters.",
  complexity: "O(1)",
  syntax: "[section ...]",
  history: [["7.0.0", "More than one section."]],
  arity: -1,
  flags: ["loading", "stale"],
  categories: ["@dangerous"],
  tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
  run: (control, argv) => {
    const wanted = wantedSections(argv)
    const texts = sections.flatMap(([name, title, , fields]) =>
      wanted.has(name)
        ? [[`# ${title}`, ...fields(control).map(([field, value]) => `${field}:${value}`), ""].join("\r\n")]
        : []
    )
    return new Verbatim(texts.join("\r\n"))
  }
})
