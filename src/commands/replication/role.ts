/** ROLE: primary or replica, and how far. */
import type { Reply } from "../../net/resp/reply.ts"
import { defineControl } from "../define.ts"

export const role = defineControl({
  name: "ROLE",
  since: "2.8.12",
  group: "server",
  summary: "Answers whether this server is a primary or a replica, and how far replication is.",
  complexity: "O(1)",
  syntax: "",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast"],
  categories: ["@admin", "@dangerous"],
  run: ({ server: { replication } }): Reply => {
    const { lsn, primary, replicas } = replication.status()
    if (primary !== undefined) {
      const { host, port, readLsn, state } = primary
      return ["slave", host, port, state, state === "connected" ? readLsn : -1]
    }
    const online = replicas.filter(({ state }) => state === "online")
    return ["master", lsn, online.map((replica) => [replica.address, `${replica.port}`, `${replica.lsn}`])]
  }
})
