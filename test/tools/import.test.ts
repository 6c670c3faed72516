/** `annals import` and `annals export --rdb` as commands: what they leave, and what they say. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { nodeDisk } from "../../src/log/disk.ts"
import { openLog } from "../../src/log/store.ts"
import { Desk } from "../cli/world.ts"
import { FakeClock, logOptions } from "../support/log-writer.ts"
import { removeTemporaryDir, temporaryDir } from "../support/processes.ts"

const folder = temporaryDir("import")
afterAll(() => removeTemporaryDir(folder))
const at = (name: string): string => join(folder, name)

const run = (...words: ReadonlyArray<string>) => new Desk().run(words)

const request = (...words: ReadonlyArray<string>): string =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`

describe("annals import and export", () => {
  const aof = at("appendonly.aof")
  writeFileSync(aof, request("SELECT", "0") + request("SET", "k", "v") + request("HSET", "h", "f", "v"))

  it("make a data directory, and files of it that Redis reads, and refuse a directory in use", async () => {
    const dir = at("data")
    const { code, out } = await run("import", aof, "--dir", dir)
    expect([code, out]).toEqual([0, expect.stringMatching(/2 keys .*\n3 requests were run\.\nThe log has 2 batches\./)])
    expect(readdirSync(dir).sort()).toEqual(["MANIFEST", "MANIFEST.prev", "checkpoints", "log"])
    expect(await run("import", aof, "--dir", dir)).toMatchObject({
      code: 2,
      err: expect.stringContaining("not an empty")
    })

    const rdb = at("out.rdb")
    const before = readdirSync(dir, { recursive: true }).map((name) => statSync(join(dir, String(name))).mtimeMs)
    expect(await run("export", "--rdb", rdb, "--dir", dir)).toMatchObject({
      code: 0,
      out: `Wrote 2 keys to ${rdb}.\n`
    })
    expect(readFileSync(rdb).subarray(0, 9).toString()).toBe("REDIS0010")
    expect(readdirSync(dir, { recursive: true }).map((name) => statSync(join(dir, String(name))).mtimeMs)).toEqual(
      before
    )
    expect((await run("export", "--rdb", at("then.rdb"), "--dir", dir, "--at", "1")).out).toContain("Wrote 1 keys")
    for (const inside of ["MANIFEST", "log/new.rdb", "../data/log/../x.rdb"]) {
      expect(await run("export", "--rdb", join(dir, inside), "--dir", dir)).toMatchObject({
        code: 2,
        err: expect.stringContaining("--rdb may not lie inside --dir")
      })
    }
    expect(readdirSync(dir).sort()).toEqual(["MANIFEST", "MANIFEST.prev", "checkpoints", "log"])
    expect(await run("import", rdb, "--dir", at("again"))).toMatchObject({ code: 0 })

    const log = openLog(nodeDisk(at("again")), new FakeClock(), logOptions())
    expect([...log.read(1)].map(({ origin }) => origin)).toEqual(["import", "import"])
    mkdirSync(at("used"))
    const unlock = nodeDisk(at("used")).lock("LOCK")
    expect((await run("import", aof, "--dir", at("used"))).code).toBe(2)
    unlock()
    log.close()
  })

  it("leave everything as it was when something is wrong", async () => {
    writeFileSync(at("cut.aof"), readFileSync(aof).subarray(0, -1))
    mkdirSync(at("parts"))
    mkdirSync(at("empty"))
    for (const file of ["cut.aof", "parts", "absent"]) {
      for (const dir of ["new/er", "empty"]) {
        const { code, err } = await run("import", at(file), "--dir", at(dir))
        expect([code, err], file).toEqual([1, expect.stringMatching(/^annals import: /)])
      }
    }
    expect(readdirSync(folder)).not.toContain("new")
    expect(readdirSync(at("empty"))).toEqual([])
    writeFileSync(
      at("hash.aof"),
      request("HSET", "h", "f", "v") + request("HPEXPIREAT", "h", "9000000000000", "FIELDS", "1", "f")
    )
    expect((await run("import", at("hash.aof"), "--dir", at("dated"))).code).toBe(0)
    const refused = await run("export", "--rdb", at("dated.rdb"), "--dir", at("dated"))
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("key \"h\" of database 0")])
    expect(readdirSync(folder).filter((name) => name.startsWith("dated"))).toEqual(["dated"])
    expect((await run("export", "--rdb", at("dated.rdb"), "--dir", at("dated"), "--rdb-version", "12")).code).toBe(0)
    expect((await run("export", "--rdb", at("x.rdb"), "--dir", tmpdir())).code).toBe(2)
    expect((await run("export", "--rdb-version", "12", "--dir", at("dated"))).code).toBe(2)
    expect((await run("import", "--dir", at("dated"))).code).toBe(2)
    expect((await run("import", aof, "--port", "1")).code).toBe(2)
    rmSync(at("dated"), { recursive: true })
  })
})
