/**
 * HOTKEYS of Redis 8.6: no sessions that measure keys are held here, so starting one is refused, and the others answer
 * as they do before the first. `redis-cli --hotkeys`, which goes by OBJECT FREQ, works.
 */
import { ok, ReplyError } from "../../net/resp/reply.ts"
import { defineContainer, defineControl } from "../define.ts"
import { help } from "../help.ts"

const facts = {
  group: "server",
  since: "8.6.0",
  complexity: "O(1)",
  syntax: "",
  arity: 2,
  flags: ["admin", "noscript"]
} as const

const unsupported = new ReplyError(
  "ERR HOTKEYS is not supported by this server: use redis-cli --hotkeys with one of the lfu policies of maxmemory-policy"
)

export const hotkeys = defineContainer({
  name: "HOTKEYS",
  since: "8.6.0",
  group: "server",
  summary: "Commands about sessions that find the keys asked for most; there are none here.",
  complexity: "That of the subcommand.",
  syntax: "",
  arity: -2,
  flags: [],
  subcommands: [
    defineControl({
      ...facts,
      name: "START",
      summary: "Refused: keys are not measured.",
      syntax: "<metrics: METRICS count [CPU] [NET]> [COUNT k] [DURATION seconds] [SAMPLE ratio] [SLOTS count slot ...]",
      arity: -2,
      run: () => {
        throw unsupported
      }
    }),
    defineControl({ ...facts, name: "STOP", summary: "Answers null: no session runs.", run: () => null }),
    defineControl({ ...facts, name: "GET", summary: "Answers null: there was no session.", run: () => null }),
    defineControl({ ...facts, name: "RESET", summary: "Does nothing: no session holds anything.", run: () => ok }),
    help("HOTKEYS", "server", [
      ["START METRICS <count> [CPU] [NET] ...", "Refused: keys are not measured."],
      ["STOP", "Answer null: no session runs."],
      ["GET", "Answer null: there was no session."],
      ["RESET", "Do nothing: no session holds anything."]
    ], { since: "8.6.0" })
  ]
})
