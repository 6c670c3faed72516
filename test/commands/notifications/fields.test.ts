/** Notifications that name fields of hashes, as the documentation of Redis 8.8 describes them. */
import { describe, expect, it } from "vitest"
import { Slice } from "../../../src/projections/memory/slice.ts"
import { Harness } from "../../support/harness.ts"

/** Runs lines and shows what is published of fields after each; `+5` lets five milliseconds pass. */
const published = (classes: string, ...lines: ReadonlyArray<string | ReadonlyArray<string>>): string => {
  const harness = new Harness()
  const { executor } = harness
  const listener = harness.connect(2)
  executor.subscriptions.patterns.subscribe(listener, Slice.latin1("__sub*"))
  executor.notifications.configure(classes)
  return lines.map((line) => {
    if (typeof line === "string" && line.startsWith("+")) {
      harness.now += Number(line)
      executor.expire(1000)
    } else harness.run(...typeof line === "string" ? line.split(" ") : line)
    const messages = listener.pushed.splice(0).map((text) => {
      const [, , , channel, message] = text.split(/\r\n\$\d+\r\n/)
      return `\n  ${channel!.replaceAll("\n", "\\n")}  ${message!.trimEnd()}`
    })
    return `> ${typeof line === "string" ? line : line.map((word) => JSON.stringify(word)).join(" ")}${
      messages.join("")
    }`
  }).join("\n")
}

describe("notifications of fields", () => {
  it("go out on four channels", () => {
    expect(published("STIVh", "HSET myhash field1 val1 field2 val2", "HDEL myhash field1 nope")).toMatchInlineSnapshot(`
      "> HSET myhash field1 val1 field2 val2
        __subkeyspace@0__:myhash  hset|6:field1,6:field2
        __subkeyevent@0__:hset  6:myhash|6:field1,6:field2
        __subkeyspaceitem@0__:myhash\\nfield1  hset
        __subkeyspaceitem@0__:myhash\\nfield2  hset
        __subkeyspaceevent@0__:hset|myhash  6:field1,6:field2
      > HDEL myhash field1 nope
        __subkeyspace@0__:myhash  hdel|6:field1
        __subkeyevent@0__:hdel  6:myhash|6:field1
        __subkeyspaceitem@0__:myhash\\nfield1  hdel
        __subkeyspaceevent@0__:hdel|myhash  6:field1"
    `)
  })

  it("name the fields of every command over hashes", () => {
    expect(published(
      "Vh",
      "HSET h a 1 b 2 a 3",
      "HMSET h c 1",
      "HSETNX h a 1",
      "HSETNX h d 1",
      "HINCRBY h n 5",
      "HINCRBYFLOAT h n 0.5",
      "HEXPIRE h 100 FIELDS 3 a b nope",
      "HPERSIST h FIELDS 2 a c",
      "HGETEX h PX 5 FIELDS 1 a",
      "HGETEX h PERSIST FIELDS 2 b c",
      "+10",
      "HSETEX h KEEPTTL FIELDS 2 b 1 e 2",
      "HSETEX h PX 5 FIELDS 2 e 1 f 2",
      "HSETEX h PXAT 1 FIELDS 2 x 1 n 2",
      "HPEXPIREAT h 1 FIELDS 1 d",
      "HGETEX h PXAT 1 FIELDS 1 c",
      "HGETDEL h FIELDS 2 b nope",
      "+10",
      "HSET h a 1",
      "DEL h"
    )).toMatchInlineSnapshot(`
      "> HSET h a 1 b 2 a 3
        __subkeyspaceevent@0__:hset|h  1:a,1:b,1:a
      > HMSET h c 1
        __subkeyspaceevent@0__:hset|h  1:c
      > HSETNX h a 1
      > HSETNX h d 1
        __subkeyspaceevent@0__:hset|h  1:d
      > HINCRBY h n 5
        __subkeyspaceevent@0__:hincrby|h  1:n
      > HINCRBYFLOAT h n 0.5
        __subkeyspaceevent@0__:hincrbyfloat|h  1:n
      > HEXPIRE h 100 FIELDS 3 a b nope
        __subkeyspaceevent@0__:hexpire|h  1:a,1:b
      > HPERSIST h FIELDS 2 a c
        __subkeyspaceevent@0__:hpersist|h  1:a
      > HGETEX h PX 5 FIELDS 1 a
        __subkeyspaceevent@0__:hexpire|h  1:a
      > HGETEX h PERSIST FIELDS 2 b c
        __subkeyspaceevent@0__:hpersist|h  1:b
      > +10
        __subkeyspaceevent@0__:hexpired|h  1:a
      > HSETEX h KEEPTTL FIELDS 2 b 1 e 2
        __subkeyspaceevent@0__:hset|h  1:b,1:e
      > HSETEX h PX 5 FIELDS 2 e 1 f 2
        __subkeyspaceevent@0__:hset|h  1:e,1:f
        __subkeyspaceevent@0__:hexpire|h  1:e,1:f
      > HSETEX h PXAT 1 FIELDS 2 x 1 n 2
        __subkeyspaceevent@0__:hset|h  1:x,1:n
        __subkeyspaceevent@0__:hdel|h  1:x,1:n
      > HPEXPIREAT h 1 FIELDS 1 d
        __subkeyspaceevent@0__:hdel|h  1:d
      > HGETEX h PXAT 1 FIELDS 1 c
        __subkeyspaceevent@0__:hdel|h  1:c
      > HGETDEL h FIELDS 2 b nope
        __subkeyspaceevent@0__:hdel|h  1:b
      > +10
        __subkeyspaceevent@0__:hexpired|h  1:e,1:f
      > HSET h a 1
        __subkeyspaceevent@0__:hset|h  1:a
      > DEL h"
    `)
  })

  it("leave out keys and names that could not be told apart, and keep any byte of a field", () => {
    expect(published("STIVh", ["HSET", "a\nb", "f,1:x|", "1"])).toMatchInlineSnapshot(`
      "> "HSET" "a\\nb" "f,1:x|" "1"
        __subkeyspace@0__:a\\nb  hset|6:f,1:x|
        __subkeyevent@0__:hset  3:a
      b|6:f,1:x|
        __subkeyspaceevent@0__:hset|a\\nb  6:f,1:x|"
    `)
  })

  it("are told of hashes alone, without the channels of keys, and not unless their class is asked for", () => {
    for (const classes of ["", "STIV", "STIVg$lszxet", "KEA", "h"]) {
      expect(published(classes, "HSET h a 1", "HDEL h a", "SET s 1", "DEL s").split("\n")).toHaveLength(4)
    }
    expect(published("STIVA", "SADD s a", "SET k 1", "DEL k s").split("\n")).toHaveLength(3)
  })

  it("name every field that dies of a hash that dies as a whole", () => {
    const fields = Array.from({ length: 200 }, (_, i) => `field:${i}`)
    const set = ["HSETEX", "h", "PX", "5", "FIELDS", "200", ...fields.flatMap((field) => [field, "v"])]
    const names = [...published("Ih", set, "+10").matchAll(/(field:\d+)  hexpired/g)].map(([, name]) => name!)
    expect(names.toSorted()).toEqual(fields.toSorted())
    const harness = new Harness()
    const listener = harness.connect(2)
    harness.executor.subscriptions.patterns.subscribe(listener, Slice.latin1("__keyspace*"))
    harness.executor.notifications.configure("KA")
    harness.run(...set)
    harness.now += 10
    harness.executor.expire(1000)
    expect(listener.pushed.map((text) => text.split("\r\n").at(-2))).toEqual(["hset", "hexpire", "hexpired", "del"])
  })
})
