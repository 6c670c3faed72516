import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { describe, expect, it } from "vitest"
import { pages } from "../src/tools/docs.ts"

/**
 * Who may import whom. The longest matching folder wins; a folder may always import itself. `projections/memory` is the
 * one leaf below everything: slices are how events, replies and data pass bytes to each other without copying them.
 */
const mayImport: Record<string, ReadonlyArray<string>> = {
  "projections/memory": [],
  config: [],
  metrics: [],
  "log/events": ["projections/memory"],
  "net/resp": ["projections/memory"],
  "projections/structures": ["projections/memory"],
  log: ["log/events", "config", "projections/memory"],
  projections: ["log/events", "log", "projections/structures", "projections/memory"],
  commands: [
    "history",
    "metrics",
    "log/events",
    "log",
    "net/resp",
    "projections",
    "projections/structures",
    "projections/memory"
  ],
  "commands/executor": [
    "commands",
    "metrics",
    "projections",
    "projections/memory",
    "log",
    "log/events",
    "net/resp",
    "config"
  ],
  net: [
    "net/resp",
    "metrics",
    "commands/executor",
    "commands",
    "history",
    "log",
    "log/events",
    "projections",
    "projections/structures",
    "projections/memory",
    "config"
  ],
  history: ["log", "log/events", "net/resp", "projections", "projections/structures", "projections/memory"],
  past: [
    "history",
    "commands",
    "commands/executor",
    "log",
    "log/events",
    "net/resp",
    "projections",
    "projections/structures",
    "projections/memory"
  ],
  "history/thread": ["history", "past", "log"],
  replication: [
    "commands",
    "commands/executor",
    "log",
    "log/events",
    "net/resp",
    "projections",
    "projections/memory",
    "rdb",
    "config"
  ],
  persistence: ["commands", "commands/executor", "log", "projections", "projections/memory", "config"],
  rdb: [
    "commands",
    "commands/executor",
    "log",
    "log/events",
    "net/resp",
    "persistence",
    "projections",
    "projections/memory",
    "projections/structures"
  ],
  cli: [
    "commands",
    "config",
    "history",
    "log",
    "log/events",
    "net/resp",
    "past",
    "projections",
    "projections/structures",
    "projections/memory",
    "rdb",
    "tools"
  ],
  main: ["*"],
  tools: ["*"]
}
/** Of `log`, commands see the interface and the registry of numbers only, of `history` how moments and questions look. */
const commandsSee = ["log/event-log.ts", "log/commands.ts", "history/moment.ts", "history/questions.ts"]

const root = new URL("../src", import.meta.url).pathname
const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"))
const textOf = (file: string): string => readFileSync(join(root, file), "utf8")
const folderOf = (file: string): string =>
  Object.keys(mayImport)
    .filter((folder) => file === `${folder}.ts` || file.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)[0] ?? "?"

describe("source tree", () => {
  it("imports only downward", () => {
    const wrong: Array<string> = []
    for (const file of files) {
      const from = folderOf(file)
      for (const [, target] of textOf(file).matchAll(/from "(\.[^"]+)"/g)) {
        const path = relative(root, join(root, dirname(file), target!))
        const to = folderOf(path)
        const allowed = mayImport[from]
        if (allowed === undefined) wrong.push(`${file}: folder without a row in the table`)
        else if (from !== to && !allowed.includes(to) && !allowed.includes("*")) wrong.push(`${file} -> ${path}`)
        if (from === "commands" && (to === "log" || to === "history") && !commandsSee.includes(path)) {
          wrong.push(`${file} -> ${path}`)
        }
      }
    }
    expect(wrong).toEqual([])
  })

  it("keeps clocks, randomness and timers out of decide, evolve and the event vocabulary", () => {
    const banned =
      /Date\.now|performance\.now|hrtime|Math\.random|new Date\b|randomBytes|randomUUID|getRandomValues|set(Timeout|Interval|Immediate)\(/
    const wrong = files.filter((file) =>
      /^(commands|projections|log\/events)\//.test(file) && banned.test(textOf(file))
    )
    expect(wrong).toEqual([])
  })

  it("touches the file system in adapters only", () => {
    const adapters = ["log/disk.ts", "net/transport.ts", "net/listener.ts", "cli/terminal.ts"]
    const wrong = files.filter((file) =>
      !adapters.includes(file) && !/^(tools\/|config\/|main\.ts)/.test(file) && /from "node:fs"/.test(textOf(file))
    )
    expect(wrong).toEqual([])
  })

  it("imports the modules of effect one by one: all of them at once cost 12 MB and a tenth of a second", () => {
    const whole = /from "(effect|@effect\/platform-node)"/
    expect(files.filter((file) => whole.test(textOf(file)))).toEqual([])
  })

  it("keeps files small", () => {
    expect(files.filter((file) => textOf(file).split("\n").length > 450)).toEqual([])
  })

  it("has generated pages that are up to date (npm run docs)", () => {
    const stale = Object.entries(pages).filter(([name, page]) =>
      readFileSync(new URL(`../docs/${name}`, import.meta.url), "utf8") !== page()
    )
    expect(stale.map(([name]) => name)).toEqual([])
  })

  it("leaves no marks of unfinished work", () => {
    expect(files.filter((file) => /\b(TODO|FIXME|XXX|HACK)\b|not implemented/i.test(textOf(file)))).toEqual([])
  })
})
