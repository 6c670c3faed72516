/** What each subcommand says of one small log, for people and as JSON; none of them changes a byte of it. */
import { afterEach, beforeAll, describe, expect, it } from "vitest"
import type { Context } from "../../src/cli/context.ts"
import { abridged } from "../../src/cli/printing.ts"
import { runSubcommand } from "../../src/cli/run.ts"
import { subcommands } from "../../src/cli/table.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { HistoryWorld } from "../history/world.ts"
import { framesOf } from "../support/frames.ts"
import { SimDisk } from "../support/sim-disk.ts"
import { Desk, fingerprint } from "./world.ts"

const desk = new Desk()
const world = new HistoryWorld()
let before = ""

/** Runs it on the log, and answers what it said; errors behind their exit code. */
const said = async (line: string | ReadonlyArray<string>): Promise<string> => {
  const words = typeof line === "string" ? line.split(" ") : line
  const { code, err, out } = await desk.run([words[0]!, "--dir", "data", ...words.slice(1)])
  return `${out}${err}${code === 0 ? "" : `exit code ${code}\n`}`
}
const json = (line: string | ReadonlyArray<string>) => {
  const words = typeof line === "string" ? line.split(" ") : line
  return desk.json([words[0]!, "--dir", "data", ...words.slice(1)])
}

beforeAll(() => {
  const [ann, bob] = world.connections
  ann!.client.name = "till"
  const run = (connection: typeof ann, ...lines: ReadonlyArray<string>): void => {
    for (const line of lines) {
      world.run(connection!, ...line.split(" "))
      world.commit()
      world.clock.advance(250)
    }
  }
  run(ann, "SET bal 10", "DECRBY bal 4", "DECRBY bal 9", "INCRBY bal 100") // 1 to 4
  run(bob, "HSET user:1 name ann email a@b", "HSET user:1 email c@d") // 5, 6
  run(ann, "RPUSH list a b c", "LPUSH list z", "LSET list 1 Q", "LINSERT list BEFORE c n", "RPOP list") // 7 to 11
  run(bob, "SADD tags x y", "SREM tags y", "RENAME tags labels") // 12 to 14
  run(bob, "ZADD rank 1 a 2 b", "ZINCRBY rank 5 a", "ZREMRANGEBYRANK rank 0 0") // 15 to 17
  run(ann, "XADD s 1-1 f v", "XADD s 1-2 f w", "XGROUP CREATE s g 0") // 18 to 20
  run(ann, "SET short x PX 300", "EXPIRE bal 1000", "SELECT 2") // 21, 22
  world.clock.advance(400)
  world.executor.expire(1) // 23
  run(ann, "SET \x80\n other", "SELECT 0", "MULTI", "SET a 1", "DEL labels", "EXEC") // 24, 25
  world.log.close()
  world.disk.runPending()
  desk.disks.set("data", world.disk)
  desk.now = world.clock.now()
  before = fingerprint(world.disk)
})

afterEach(() => expect(fingerprint(world.disk)).toBe(before))

describe("annals log", () => {
  it("shows batches with who wrote them", async () => {
    expect(await said("log --from 20")).toMatchInlineSnapshot(`
      "#20 2026-09-21T14:13:24.750Z xgroup|create by default from 127.0.0.1:50001 (till)
        db0 s StreamGroupCreated group "g" lastDelivered 0-0
      #21 2026-09-21T14:13:25.000Z set by default from 127.0.0.1:50001 (till)
        db0 short StringSet value "x" expireAt 1790000005300
      #22 2026-09-21T14:13:25.250Z expire by default from 127.0.0.1:50001 (till)
        db0 bal KeyExpirySet expireAt 1790001005250
      #23 2026-09-21T14:13:26.150Z expire
        db0 short KeyExpired
      #24 2026-09-21T14:13:26.150Z set by default from 127.0.0.1:50001 (till)
        db2 "\\x80\\n" StringSet value "other"
      #25 2026-09-21T14:13:27.400Z exec by default from 127.0.0.1:50001 (till)
        db0 a StringSet value "1"
        db0 labels KeyDeleted
      "
    `)
    expect(await said("log --match user:* --values")).toMatchInlineSnapshot(`
      "#5 2026-09-21T14:13:21.000Z hset by default from 127.0.0.1:50002
        db0 user:1 HashFieldsSet fields {"name": "ann", "email": "a@b"}
      #6 2026-09-21T14:13:21.250Z hset by default from 127.0.0.1:50002
        db0 user:1 HashFieldsSet fields {"email": "c@d"}
      "
    `)
    expect(await said("log --type keyrenamed --type KeyExpired")).toMatchInlineSnapshot(`
      "#14 2026-09-21T14:13:23.250Z rename by default from 127.0.0.1:50002
        db0 tags KeyRenamed to "labels"
      #23 2026-09-21T14:13:26.150Z expire
        db0 short KeyExpired
      "
    `)
    expect(await said("log --count 1 --db 2")).toMatchInlineSnapshot(`
      "#24 2026-09-21T14:13:26.150Z set by default from 127.0.0.1:50001 (till)
        db2 "\\x80\\n" StringSet value "other"
      "
    `)
    expect(await said("log --user nobody")).toBe("")
    expect(await said("log --type Nonsense")).toContain("there is no event of the type 'Nonsense'")
    expect(await json("log --from 24 --count 1 --values")).toMatchInlineSnapshot(`
      [
        {
          "address": "127.0.0.1:50001",
          "client-id": 1,
          "client-name": "till",
          "command": "set",
          "events": [
            {
              "change": {
                "expireAt": null,
                "value": "other",
              },
              "db": 2,
              "key": {
                "base64": "gAo=",
              },
              "type": "StringSet",
            },
          ],
          "origin": "client",
          "sequence": 24,
          "time": 1790000006150,
          "user": "default",
        },
      ]
    `)
    const times = await json("log --to @2026-09-21T14:13:20.500Z")
    expect(times.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
  })

  it("follows what is written", async () => {
    const other = new HistoryWorld()
    const live = new Desk()
    live.disks.set("data", other.disk)
    let rounds = 0
    other.run(other.connections[0]!, "SET", "k", "0")
    other.commit()
    live.onSleep = () => {
      other.run(other.connections[0]!, "SET", "k", String(++rounds))
      other.commit()
      return rounds < 3
    }
    const { out } = await live.run("log --dir data --follow --json --values")
    const values = out.trim().split("\n").map((line) => JSON.parse(line).events[0].change.value)
    expect(values).toEqual(["0", "1", "2", "3"])
    rounds = 0
    expect((await live.run("log --dir data --follow --from 3 --count 3")).out.match(/^#\d+/gm)).toEqual([
      "#3",
      "#4",
      "#5"
    ])
  })
})

describe("annals history", () => {
  it("shows everything that touched a key", async () => {
    expect(await said("history bal")).toMatchInlineSnapshot(`
      "#1 2026-09-21T14:13:20.000Z set by default from 127.0.0.1:50001 (till)
        db0 StringSet value "10"
      #2 2026-09-21T14:13:20.250Z decrby by default from 127.0.0.1:50001 (till)
        db0 StringIncremented value 6
      #3 2026-09-21T14:13:20.500Z decrby by default from 127.0.0.1:50001 (till)
        db0 StringIncremented value -3
      #4 2026-09-21T14:13:20.750Z incrby by default from 127.0.0.1:50001 (till)
        db0 StringIncremented value 97
      #22 2026-09-21T14:13:25.250Z expire by default from 127.0.0.1:50001 (till)
        db0 KeyExpirySet expireAt 1790001005250
      "
    `)
    expect(await said("history user:1 --field email --rev --count 1")).toMatchInlineSnapshot(`
      "#6 2026-09-21T14:13:21.250Z hset by default from 127.0.0.1:50002
        db0 HashFieldsSet fields {"email": "c@d"}
      "
    `)
    expect(await json("history labels --from 13")).toMatchInlineSnapshot(`
      [
        {
          "address": "127.0.0.1:50002",
          "change": {
            "to": "labels",
          },
          "client-id": 2,
          "client-name": "",
          "command": "rename",
          "db": 0,
          "event": 0,
          "key": "tags",
          "origin": "client",
          "sequence": 14,
          "time": 1790000003250,
          "type": "KeyRenamed",
          "user": "default",
        },
        {
          "address": "127.0.0.1:50001",
          "change": {},
          "client-id": 1,
          "client-name": "till",
          "command": "exec",
          "db": 0,
          "event": 1,
          "origin": "client",
          "sequence": 25,
          "time": 1790000007400,
          "type": "KeyDeleted",
          "user": "default",
        },
      ]
    `)
    expect(await said("history nothing")).toBe(
      "annals history: no event from sequence 1 to 25 touched nothing in database 0\nexit code 1\n"
    )
    expect(await said("history user:1 --field age --from 6")).toBe(
      "annals history: no event from sequence 6 to 25 touched age of user:1 in database 0\nexit code 1\n"
    )
  })
})

describe("values before and after", () => {
  it("are told apart however long they are, and shown in part", () => {
    const [one, other] = ["x", "y"].map((end) => abridged(Slice.utf8(`${"a".repeat(5000)}${end}`)))
    expect(one).toBe(`"${"a".repeat(200)}"…(5001 bytes, SHA-1 ${one!.slice(-18, -2)}…)`)
    expect(other).not.toBe(one)
    expect(abridged(Slice.utf8("a".repeat(4096)))).toBe(`"${"a".repeat(4096)}"`)
  })
})

describe("annals at", () => {
  it("asks the data of a moment", async () => {
    expect(await said("at 3 -- GET bal")).toBe("-3\n")
    expect(await said("at --no-raw 9 LRANGE list 0 -1")).toMatchInlineSnapshot(`
      "1) "z"
      2) "Q"
      3) "b"
      4) "c"
      "
    `)
    expect(await said("at --no-raw 5 HGETALL user:1")).toMatchInlineSnapshot(`
      "1) "name"
      2) "ann"
      3) "email"
      4) "a@b"
      "
    `)
    expect(await said("at --no-raw 5 GET none")).toBe("(nil)\n")
    expect(await said("at --raw 7 LRANGE list 0 -1")).toBe("a\nb\nc\n")
    expect(await json("at 6 HGETALL user:1")).toEqual([{ name: "ann", email: "c@d" }])
    expect(await json("at 16 ZRANGE rank 0 -1 WITHSCORES")).toEqual([[["b", 2], ["a", 6]]])
    expect(await said("at --no-raw 16 ZSCORE rank a")).toBe("\"6\"\n")
    expect(await json("at --db 2 24 KEYS *")).toEqual([[{ base64: "gAo=" }]])
    // A deadline counts from the moment on at which it passed, whether or not that was noted by then.
    expect(await said("at 22 -- EXISTS short")).toBe("1\n")
    expect(await said("at 23 -- EXISTS short")).toBe("0\n")
    expect(await said("at 5 -- SET a b")).toBe(
      "READONLY the past cannot be changed, and 'set' is a command that writes\nexit code 1\n"
    )
    expect(await said("at 26 -- GET a")).toContain("26 has not happened yet, the newest sequence is 25\nexit code 1")
    expect(await said("at 5")).toContain("it takes either a command behind the moment, or --repl\n")
  })

  it("says what to do where a value is longer than a text can be", async () => {
    const { spec } = subcommands.find(({ spec }) => spec.name === "stats")!
    for (
      const error of [
        new RangeError("Invalid string length"),
        Object.assign(new Error(), { code: "ERR_STRING_TOO_LONG" })
      ]
    ) {
      let err = ""
      const run = () => {
        throw error
      }
      const context = { warn: (text: string) => (err += text) } as unknown as Context
      expect(await runSubcommand({ spec, load: async () => run }, [], context)).toBe(1)
      expect(err).toContain("a value is too long for text: 'annals at MOMENT --raw -- GET KEY' and")
    }
  })

  it("takes words of any bytes in quotes, as it shows them", async () => {
    const key = "\"\\x80\\n\""
    const found = "#24 2026-09-21T14:13:26.150Z set by default from 127.0.0.1:50001 (till)\n  db2 "
    expect(await said(["history", key, "--db", "2"])).toBe(`${found}StringSet value "other"\n`)
    expect(await said(["log", "--match", "\"\\x80*\""])).toBe(`${found}${key} StringSet value "other"\n`)
    expect(await said(["blame", key, "--db", "2"])).toContain("#24 ")
    expect(await said(["diff", "--match", key, "23", "24"])).toContain(`+ db2 ${key}: "other"`)
    expect(await said(["export", "--match", key])).toContain("{\"base64\":\"gAo=\"}")
    expect(await said(["at", "--db", "2", "24", "GET", key])).toBe("other\n")
    expect((await desk.run("at --dir data --db 2 24 KEYS *")).bytes).toEqual(Buffer.of(0x80, 10, 10))
    expect(await said(["history", "\"a\" \"b\""])).toContain("the quotes of '\"a\" \"b\"' do not match\n")
    expect(await said(["blame", "\ufffd"])).toContain(
      "annals blame: '\ufffd' is not UTF-8: put it in quotes, with other bytes as \\xNN: '\"\\xff\"'\n"
    )
  })

  it("takes keys of any bytes, as it shows them, at prompts and in expressions", async () => {
    desk.typed = ["SELECT 2", "GET \"\\x80\\n\"", "GET \"\u0080\\n\"", "QUIT"]
    const { out } = await desk.run("at --dir data 25 --repl --raw")
    expect(out.split("\n").filter((line) => line !== "").slice(1)).toEqual([
      "past> SELECT 2",
      "OK",
      "past> GET \"\\x80\\n\"",
      "other",
      "past> GET \"\u0080\\n\"",
      "past> QUIT"
    ])
    expect((await json(["when", "GET \"\\x80\\n\" = other", "--db", "2"]))[0]).toMatchObject({
      found: true,
      sequence: 24
    })
    desk.typed = ["find \"\\x80*\"", "break \"\\x80\\n\"", "go 1", "c"]
    expect((await desk.run("step --dir data 1")).out.match(/^#24 /gm)).toHaveLength(2)
    desk.typed = []
  })

  it("has a prompt", async () => {
    desk.typed = [
      "GET bal",
      "",
      "GO 1",
      "GET bal",
      "GO 99",
      "SELECT 2",
      "DBSIZE",
      "SELECT x",
      "SET a b",
      "'",
      "HELP",
      "QUIT",
      "GET a"
    ]
    expect(await said("at 4 --repl")).toMatchInlineSnapshot(`
      "The data after sequence 4, at 2026-09-21T14:13:20.750Z. Nothing can be changed. HELP helps.
      past> GET bal
      "97"
      past> 
      past> GO 1
      The data after sequence 1, at 2026-09-21T14:13:20.000Z
      past> GET bal
      "10"
      past> GO 99
      (error) 99 has not happened yet, the newest sequence is 25
      past> SELECT 2
      OK
      past> DBSIZE
      (integer) 0
      past> SELECT x
      (error) ERR value is not an integer or out of range
      past> SET a b
      (error) READONLY the past cannot be changed, and 'set' is a command that writes
      past> '
      Invalid argument(s)
      past> HELP
      Any command that reads. Besides: SELECT db · GO moment (to another moment, later or earlier) · QUIT
      past> QUIT
      "
    `)
    desk.typed = ["HGETALL user:1"]
    expect(await json("at 6 --repl")).toEqual([{ name: "ann", email: "c@d" }])
  })
})

describe("annals diff and step", () => {
  it("show what changed between two moments", async () => {
    expect(await said("diff 4 11")).toMatchInlineSnapshot(`
      "+ db0 user:1: hash of 2
          + "name" "ann"
          + "email" "c@d"
      + db0 list: list of 4
          + [0] "z"
          + [1] "Q"
          + [2] "b"
          + [3] "n"
      2 added, 0 removed, 0 changed, from sequence 4 (2026-09-21T14:13:20.750Z) to 11 (2026-09-21T14:13:22.500Z)
      "
    `)
    expect(await said("diff 12 16")).toMatchInlineSnapshot(`
      "- db0 tags: set of 2
      + db0 labels: set of 1
          + "x"
      + db0 rank: zset of 2
          + "b" 2
          + "a" 6
      2 added, 1 removed, 0 changed, from sequence 12 (2026-09-21T14:13:22.750Z) to 16 (2026-09-21T14:13:23.750Z)
      "
    `)
    expect(await said("diff 19 5 --match user:*")).toMatchInlineSnapshot(`
      "~ db0 user:1: hash
          ~ "email": "c@d" → "a@b"
      0 added, 0 removed, 1 changed, from sequence 19 (2026-09-21T14:13:24.500Z) to 5 (2026-09-21T14:13:21.000Z)
      "
    `)
    expect(await said("diff 7 10")).toMatchInlineSnapshot(`
      "~ db0 list: list
          - [0] "a"
          - [1] "b"
          + [0] "z"
          + [1] "Q"
          + [2] "b"
          + [3] "n"
      0 added, 0 removed, 1 changed, from sequence 7 (2026-09-21T14:13:21.500Z) to 10 (2026-09-21T14:13:22.250Z)
      "
    `)
    expect(await said("diff 21 22")).toMatchInlineSnapshot(`
      "~ db0 bal: string
          expires never → 2026-09-21T14:30:05.250Z
      0 added, 0 removed, 1 changed, from sequence 21 (2026-09-21T14:13:25.000Z) to 22 (2026-09-21T14:13:25.250Z)
      "
    `)
    expect(await json("diff 5 7")).toMatchInlineSnapshot(`
      [
        {
          "after": {
            "type": "hash",
            "value": [
              [
                "name",
                "ann",
              ],
              [
                "email",
                "c@d",
              ],
            ],
          },
          "before": {
            "type": "hash",
            "value": [
              [
                "name",
                "ann",
              ],
              [
                "email",
                "a@b",
              ],
            ],
          },
          "change": "changed",
          "db": 0,
          "key": "user:1",
        },
        {
          "after": {
            "type": "list",
            "value": [
              "a",
              "b",
              "c",
            ],
          },
          "before": null,
          "change": "added",
          "db": 0,
          "key": "list",
        },
      ]
    `)
  })

  it("go through the log in steps", async () => {
    desk.typed = [
      "n",
      "",
      "p",
      "find lab*",
      "break bal",
      "break user:1",
      "go 2",
      "c",
      "c",
      "c",
      "go 99",
      "go 0",
      "help",
      "q",
      "n"
    ]
    expect(await said("step 5")).toMatchInlineSnapshot(`
      "#5 2026-09-21T14:13:21.000Z hset by default from 127.0.0.1:50002
        db0 user:1 HashFieldsSet fields {"name": "ann", "email": "a@b"}
      + db0 user:1: hash of 2
          + "name" "ann"
          + "email" "a@b"
      step> n
      #6 2026-09-21T14:13:21.250Z hset by default from 127.0.0.1:50002
        db0 user:1 HashFieldsSet fields {"email": "c@d"}
      ~ db0 user:1: hash
          ~ "email": "a@b" → "c@d"
      step> 
      #7 2026-09-21T14:13:21.500Z rpush by default from 127.0.0.1:50001 (till)
        db0 list ListPushed side right elements ["a", "b", "c"]
      + db0 list: list of 3
          + [0] "a"
          + [1] "b"
          + [2] "c"
      step> p
      #6 2026-09-21T14:13:21.250Z hset by default from 127.0.0.1:50002
        db0 user:1 HashFieldsSet fields {"email": "c@d"}
      ~ db0 user:1: hash
          ~ "email": "a@b" → "c@d"
      step> find lab*
      #14 2026-09-21T14:13:23.250Z rename by default from 127.0.0.1:50002
        db0 tags KeyRenamed to "labels"
      - db0 tags: set of 1
      + db0 labels: set of 1
          + "x"
      step> break bal
      stops at bal
      step> break user:1
      stops at bal, user:1
      step> go 2
      #2 2026-09-21T14:13:20.250Z decrby by default from 127.0.0.1:50001 (till)
        db0 bal StringIncremented value 6
      ~ db0 bal: "10" → "6"
      step> c
      #3 2026-09-21T14:13:20.500Z decrby by default from 127.0.0.1:50001 (till)
        db0 bal StringIncremented value -3
      ~ db0 bal: "6" → "-3"
      step> c
      #4 2026-09-21T14:13:20.750Z incrby by default from 127.0.0.1:50001 (till)
        db0 bal StringIncremented value 97
      ~ db0 bal: "-3" → "97"
      step> c
      #5 2026-09-21T14:13:21.000Z hset by default from 127.0.0.1:50002
        db0 user:1 HashFieldsSet fields {"name": "ann", "email": "a@b"}
      + db0 user:1: hash of 2
          + "name" "ann"
          + "email" "a@b"
      step> go 99
      99 has not happened yet, the newest sequence is 25
      step> go 0
      this is the beginning: 1 is the oldest sequence
      step> help
      n          the next batch (so does an empty line)
      p          the batch before
      go MOMENT  to a batch
      find WHAT  the next batch with a key like this (as KEYS takes it)
      break KEY  stop at this key, too; without a key: says which
      c          on to the next batch that names one of these keys
      q          ends
      step> q
      "
    `)
    desk.typed = ["go 14"]
    expect((await json("step 2"))[1]).toMatchInlineSnapshot(`
      {
        "address": "127.0.0.1:50002",
        "changes": [
          {
            "after": null,
            "before": {
              "type": "set",
              "value": [
                "x",
              ],
            },
            "change": "removed",
            "db": 0,
            "key": "tags",
          },
          {
            "after": {
              "type": "set",
              "value": [
                "x",
              ],
            },
            "before": null,
            "change": "added",
            "db": 0,
            "key": "labels",
          },
        ],
        "client-id": 2,
        "client-name": "",
        "command": "rename",
        "events": [
          {
            "change": {
              "to": "labels",
            },
            "db": 0,
            "key": "tags",
            "type": "KeyRenamed",
          },
        ],
        "origin": "client",
        "sequence": 14,
        "time": 1790000003250,
        "user": "default",
      }
    `)
  })
})

describe("annals when and bisect", () => {
  it("find the batch after which something is true", async () => {
    expect(await said(["when", "GET bal < 0"])).toMatchInlineSnapshot(`
      "#3 2026-09-21T14:13:20.500Z decrby by default from 127.0.0.1:50001 (till)
        db0 bal StringIncremented value -3
        then GET bal < 0, with "-3"
      "
    `)
    expect(await said(["when", "GET bal < 0", "--from", "4"])).toMatchInlineSnapshot(`
      "it was true already after sequence 3: "-3"
      "
    `)
    expect(await said(["when", "GET bal > 50"])).toContain("#4 ")
    expect(await said(["when", "HGET user:1 email = c@d"])).toContain("#6 ")
    expect(await said(["when", "SISMEMBER labels x"])).toContain("#14 ")
    expect(await said(["when", "EXISTS labels = 0", "--from", "15"])).toContain("#25 ")
    expect(await said(["when", "GET short = nil", "--from", "22"])).toContain("#23 ")
    expect(await said(["when", "GET none = nil"])).toContain("it was true already after sequence 0: (nil)")
    expect(await said(["when", "LLEN list >= 5"])).toContain("#10 ")
    expect(await said(["when", "DBSIZE > 3"])).toContain("#12 ")
    expect(await json(["when", "GET bal < 0"])).toMatchInlineSnapshot(`
      [
        {
          "answer": "-3",
          "client": "till",
          "expression": "GET bal < 0",
          "found": true,
          "origin": "client",
          "sequence": 3,
          "time": 1790000000500,
          "user": "default",
        },
      ]
    `)
    expect(await json(["when", "GET bal > 1000"])).toEqual([{
      expression: "GET bal > 1000",
      found: false,
      from: 1,
      to: 25
    }])
    expect(await said(["when", "SET a 1 = OK"])).toContain("READONLY the past cannot be changed")
    expect(await said(["when", "< 5"])).toContain("is no expression")
  })

  it("find it by halving where it stays true", async () => {
    expect(await said(["bisect", "XLEN s > 1"])).toMatchInlineSnapshot(`
      "after 12  false  0
      after 18  false  1
      after 21  true   2
      after 19  true   2
      #19 2026-09-21T14:13:24.500Z xadd by default from 127.0.0.1:50001 (till)
        db0 s StreamEntryAdded id 1-2 fields {"f": "w"}
        then XLEN s > 1, with 2
        (6 looks)
      "
    `)
    expect(await json(["bisect", "EXISTS user:1"])).toMatchObject([{ found: true, sequence: 5, answer: 1 }])
    expect(await said(["bisect", "GET bal > 1000"])).toContain("is not true after sequence 25 either")
    expect(await said(["bisect", "EXISTS bal", "--from", "3"])).toContain("is true already after sequence 2")
  })
})

describe("annals blame", () => {
  it("names the batch that put each element where it is", async () => {
    expect(await said("blame user:1")).toMatchInlineSnapshot(`
      "#5  2026-09-21T14:13:21.000Z  hset  default@127.0.0.1:50002  "name" "ann"
      #6  2026-09-21T14:13:21.250Z  hset  default@127.0.0.1:50002  "email" "c@d"
      "
    `)
    expect(await said("blame list")).toMatchInlineSnapshot(`
      "#8   2026-09-21T14:13:21.750Z  lpush    default@127.0.0.1:50001 till  "z"
      #9   2026-09-21T14:13:22.000Z  lset     default@127.0.0.1:50001 till  "Q"
      #7   2026-09-21T14:13:21.500Z  rpush    default@127.0.0.1:50001 till  "b"
      #10  2026-09-21T14:13:22.250Z  linsert  default@127.0.0.1:50001 till  "n"
      "
    `)
    expect(await said("blame labels --to 14")).toMatchInlineSnapshot(`
      "#12  2026-09-21T14:13:22.750Z  sadd  default@127.0.0.1:50002  "x"
      "
    `)
    expect(await said("blame rank")).toMatchInlineSnapshot(`
      "#16  2026-09-21T14:13:23.750Z  zincrby  default@127.0.0.1:50002  "a" 6
      "
    `)
    expect(await said("blame s")).toMatchInlineSnapshot(`
      "#18  2026-09-21T14:13:24.250Z  xadd  default@127.0.0.1:50001 till  1-1 "f" "v"
      #19  2026-09-21T14:13:24.500Z  xadd  default@127.0.0.1:50001 till  1-2 "f" "w"
      "
    `)
    expect(await said("blame bal")).toMatchInlineSnapshot(`
      "#4  2026-09-21T14:13:20.750Z  incrby  default@127.0.0.1:50001 till  "97"
      "
    `)
    expect(await json("blame user:1 --to 5")).toMatchInlineSnapshot(`
      [
        {
          "address": "127.0.0.1:50002",
          "client": "",
          "command": "hset",
          "field": "name",
          "origin": "client",
          "sequence": 5,
          "time": 1790000001000,
          "type": "hash",
          "user": "default",
          "value": "ann",
        },
        {
          "address": "127.0.0.1:50002",
          "client": "",
          "command": "hset",
          "field": "email",
          "origin": "client",
          "sequence": 5,
          "time": 1790000001000,
          "type": "hash",
          "user": "default",
          "value": "a@b",
        },
      ]
    `)
    expect(await said("blame labels")).toContain("labels is not there after sequence 25, in database 0")
  })
})

describe("annals stats", () => {
  it("counts what the log is made of, with bars at a terminal", async () => {
    desk.columns = 60
    expect(await said("stats --from 5 --to 20 --top 3")).toMatchInlineSnapshot(`
      "16 batches, 16 events, sequences 5 to 20, 2026-09-21T14:13:21.000Z to 2026-09-21T14:13:24.750Z

      events by type
        HashFieldsSet           2  12.5 %  ███████████████████████
        ListPushed              2  12.5 %  ███████████████████████
        SortedSetMembersScored  2  12.5 %  ███████████████████████
        (9 more)

      batches by command
        hset     2  12.5 %  ██████████████████████████████████████
        xadd     2  12.5 %  ██████████████████████████████████████
        linsert  1   6.3 %  ███████████████████
        (11 more)

      batches by user
        default  16 100.0 %  █████████████████████████████████████

      batches by cause
        client  16 100.0 %  ██████████████████████████████████████

      events by key prefix
        (no prefix)  14  87.5 %  █████████████████████████████████
        user:         2  12.5 %  ████▊

      events by hour (UTC)
        2026-09-21T14  16 100.0 %  ███████████████████████████████
      "
    `)
    desk.columns = undefined
    expect(await json("stats --to 6")).toMatchInlineSnapshot(`
      [
        {
          "batches": 6,
          "commands": {
            "decrby": 2,
            "hset": 2,
            "incrby": 1,
            "set": 1,
          },
          "events": 6,
          "first-time": 1790000000000,
          "from": 1,
          "hours": {
            "2026-09-21T14": 6,
          },
          "last-time": 1790000001250,
          "origins": {
            "client": 6,
          },
          "prefixes": {
            "(no prefix)": 4,
            "user:": 2,
          },
          "to": 6,
          "types": {
            "HashFieldsSet": 2,
            "StringIncremented": 3,
            "StringSet": 1,
          },
          "users": {
            "default": 6,
          },
        },
      ]
    `)
  })
})

describe("annals export", () => {
  it("writes the data of a moment", async () => {
    expect((await json("export --at 21")).sort((a, b) => a.key < b.key ? -1 : 1)).toMatchInlineSnapshot(`
      [
        {
          "db": 0,
          "key": "bal",
          "type": "string",
          "value": "97",
        },
        {
          "db": 0,
          "key": "labels",
          "type": "set",
          "value": [
            "x",
          ],
        },
        {
          "db": 0,
          "key": "list",
          "type": "list",
          "value": [
            "z",
            "Q",
            "b",
            "n",
          ],
        },
        {
          "db": 0,
          "key": "rank",
          "type": "zset",
          "value": [
            [
              "a",
              6,
            ],
          ],
        },
        {
          "db": 0,
          "groups": [
            {
              "consumers": [],
              "last-delivered-id": "0-0",
              "name": "g",
              "pending": 0,
            },
          ],
          "key": "s",
          "last-id": "1-2",
          "type": "stream",
          "value": [
            [
              "1-1",
              [
                "f",
                "v",
              ],
            ],
            [
              "1-2",
              [
                "f",
                "w",
              ],
            ],
          ],
        },
        {
          "db": 0,
          "expire-at": 1790000005300,
          "key": "short",
          "type": "string",
          "value": "x",
        },
        {
          "db": 0,
          "key": "user:1",
          "type": "hash",
          "value": [
            [
              "name",
              "ann",
            ],
            [
              "email",
              "c@d",
            ],
          ],
        },
      ]
    `)
    expect(await said("export --at 22 --match bal --format resp")).toMatchInlineSnapshot(`
      "*2
      $6
      SELECT
      $1
      0
      *5
      $3
      SET
      $3
      bal
      $2
      97
      $4
      PXAT
      $13
      1790001005250
      "
    `)
    expect(await json("export --db 2")).toEqual([{ db: 2, key: { base64: "gAo=" }, type: "string", value: "other" }])
    expect(await said("export --format xml")).toContain("--format takes one of jsonl, resp, not 'xml'")
  })
})

describe("annals verify and restore", () => {
  it("say what they did", async () => {
    expect(await said("verify --folds")).toMatchInlineSnapshot(`
      "sound: 1 segment, 1.8 KiB, sequences 1 to 25
      head 25:df7cc380931fd120dd44ab86ada3f6822098c64c788ecdace91316fe4cf97139
      "
    `)
    expect(await json("verify")).toMatchInlineSnapshot(`
      [
        {
          "bytes": 1792,
          "checkpoints": [],
          "exit-code": 0,
          "expected": null,
          "findings": [],
          "head": {
            "chain": "df7cc380931fd120dd44ab86ada3f6822098c64c788ecdace91316fe4cf97139",
            "sequence": 25,
          },
          "notes": [],
          "oldest-sequence": 1,
          "seconds": 0,
          "segments": 1,
          "sequence": 25,
          "sound": true,
        },
      ]
    `)
    expect(await said("restore --to 14 --out out")).toMatchInlineSnapshot(`
      "Restored data as it was after sequence 14, of 2026-09-21T14:13:23.250Z into out: 2 segments, 0 checkpoints, 1.2 KiB.
      Serve it: annals server --dir out
      "
    `)
    expect((await desk.run("at 14 --dir out -- SMEMBERS labels")).out).toBe("x\n")
  })
})

describe("every subcommand", () => {
  it("shows a bar while it takes long, at a terminal only", async () => {
    desk.progressColumns = 70
    const { now } = desk
    let ticks = 0
    Object.defineProperty(desk, "now", { get: () => now + 600 * ticks++, configurable: true })
    try {
      expect((await desk.run("verify --dir data")).err).toMatch(/█+░* verifying [0-9]+ %/)
    } finally {
      Object.defineProperty(desk, "now", { value: now, writable: true, configurable: true })
      desk.progressColumns = undefined
    }
    expect((await desk.run("verify --dir data")).err).toBe("")
  })

  it("refuses what makes no sense with 2, as JSON where that is asked for", async () => {
    expect(await said("log --colour")).toBe(
      "annals log: unknown option '--colour'\nUsage: annals log [options]\nexit code 2\n"
    )
    expect(await said("log --val")).toContain("did you mean --values?")
    expect(await said("log --count many")).toContain("--count takes a number, not 'many'")
    expect(await said("log --count")).toContain("--count takes N")
    expect(await said("log --count 1 --count 2")).toContain("--count is given twice")
    expect(await said("log --follow=yes")).toContain("--follow takes no value")
    expect(await said("history")).toContain("KEY is missing")
    expect(await said("history a b")).toContain("'b' is one word too many")
    expect((await desk.run("log --json --count x")).err)
      .toBe("{\"error\":\"--count takes a number, not 'x'\",\"exit-code\":2}\n")
    expect((await desk.run("log --dir nowhere")).code).toBe(1)
  })

  it("gives no older state for that of now where what was safely on disk is missing at the end", async () => {
    const short = world.disk.settled()
    const [segment] = short.list("log").map((base) => `log/${base}`)
    const bytes = world.disk.readFile(segment!)
    const third = framesOf(bytes).filter(({ type }) => type === "BATCHES")[3]!
    short.put(segment!, bytes.slice(0, third.position))
    const gone = world.disk.settled()
    gone.unlink(segment!)
    const unfinished = new SimDisk()
    unfinished.put("MANIFEST", Buffer.from("annals restore has not finished writing this directory\n"))
    for (const [name, disk] of Object.entries({ short, gone, unfinished })) desk.disks.set(name, disk)
    const asked = [
      "log",
      "history bal",
      "at 1 GET bal",
      "diff 0 1",
      "step 1",
      "when DBSIZE",
      "bisect DBSIZE",
      "blame bal"
    ]
    for (const line of [...asked, "stats", "export", "restore --to 1 --out none"]) {
      for (const name of ["short", "gone", "unfinished"]) {
        const { code, err, out } = await desk.run([
          ...line.split(" ").slice(0, 1),
          "--dir",
          name,
          ...line.split(" ").slice(1)
        ])
        expect([line, name, code, out]).toEqual([line, name, 3, ""])
        expect(err).toMatch(name === "unfinished" ? /its MANIFEST is none/ : /bytes before what was safely on disk/)
      }
    }
  })
})
