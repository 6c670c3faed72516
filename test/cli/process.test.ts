/** The program itself: exit codes, pipes, a server on what was restored, and not a byte of the source changed. */
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { subcommands } from "../../src/cli/table.ts"
import { nodePath, repository, startAnnals } from "../support/processes.ts"
import { plain } from "../support/resp-client.ts"
import { Desk } from "./world.ts"

const scratch = mkdtempSync(join(tmpdir(), "annals-cli-"))
afterAll(() => rmSync(scratch, { recursive: true }))

const annals = (...words: ReadonlyArray<string>) =>
  spawnSync(join(repository, "bin", "annals"), words, { encoding: "utf8", cwd: scratch })

/** Every name and byte below a folder. */
const fingerprint = (folder: string): string => {
  const hash = createHash("sha256")
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()) {
    const path = join(folder, name)
    hash.update(`${name}\0`)
    if (statSync(path).isFile()) hash.update(readFileSync(path))
  }
  return hash.digest("hex")
}

describe("bin/annals", () => {
  it("restores beside a running server and after it, for a server to go on with", async () => {
    const dir = join(scratch, "data")
    const out = join(scratch, "out")
    mkdirSync(dir)
    const server = await startAnnals({ dir })
    const client = await server.client()
    for (const value of ["one", "two", "three", "four"]) await client.command("SET", "k", value)
    expect(annals("verify", "--dir", dir)).toMatchObject({ status: 0, stderr: "" })
    expect(annals("restore", "--dir", dir, "--to", "3", "--out", out)).toMatchObject({ status: 0, stderr: "" })
    await client.close()
    await server.stop()
    const before = fingerprint(dir)
    const restored = await startAnnals({ dir: out })
    const again = await restored.client()
    expect(plain(await again.command("GET", "k"))).toBe("three")
    expect(plain(await again.command("SET", "k", "other"))).toBe("OK")
    await again.close()
    await restored.stop()
    expect(annals("verify", "--dir", out, "--folds").status).toBe(0)
    // Whoever reads only the first line of a long answer ends it without a word.
    const script = `"${nodePath}" src/cli/main.ts log --dir "${dir}" | head -n 1`
    const piped = spawnSync("sh", ["-c", script], { cwd: repository, encoding: "utf8", timeout: 20_000 })
    expect(piped).toMatchObject({ stderr: "", status: 0 })
    expect(piped.stdout).toMatch(/^#1 .* set by default from 127\.0\.0\.1:\d+\n$/)
    expect(fingerprint(dir)).toBe(before)
  }, 60_000)

  it("helps, and refuses what it does not know with 2", () => {
    const help = annals("--help")
    expect(help.status).toBe(0)
    for (const { spec } of subcommands) expect(help.stdout).toContain(`\n  ${spec.name} `)
    expect(annals("frobnicate")).toMatchObject({
      status: 2,
      stderr: "annals: unknown command 'frobnicate', see annals --help\n"
    })
    expect(annals("log", "--dir", "./none")).toMatchObject({
      status: 1,
      stderr: "annals log: ./none is not a directory\n"
    })
  })
})

describe("help and completion", () => {
  it("name every option and every subcommand", async () => {
    const desk = new Desk()
    for (const { spec } of subcommands) {
      const { code, out } = await desk.run(`${spec.name} --help`)
      expect(code).toBe(0)
      for (const name of Object.keys(spec.options)) expect(out, spec.name).toContain(`--${name}`)
      for (const { command } of spec.examples) {
        expect(out).toContain(command)
        expect(command).toContain(`annals ${spec.name}`)
      }
      if (spec.name !== "completion") expect(out).toContain("--json")
    }
    for (const shell of ["bash", "zsh", "fish"]) {
      const { code, out } = await desk.run(`completion ${shell}`)
      expect(code).toBe(0)
      for (const { spec } of subcommands) {
        expect(out).toContain(spec.name)
        for (const name of Object.keys(spec.options)) expect(out, `${shell} ${spec.name}`).toContain(name)
      }
    }
    expect((await desk.run("completion tcsh")).code).toBe(2)
    const { out } = await desk.run("completion bash")
    const ask = (line: string, ...words: ReadonlyArray<string>): string => {
      const script = `${out}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${
        words.length - 1
      }; _annals; printf '%s ' "\${COMPREPLY[@]}"`
      const { status, stderr, stdout } = spawnSync("bash", ["--norc", "-c", script], { encoding: "utf8" })
      expect({ status, stderr }, line).toEqual({ status: 0, stderr: "" })
      return stdout.trim()
    }
    expect(ask("annals b", "annals", "b")).toBe("bisect blame")
    expect(ask("annals export --format r", "annals", "export", "--format", "r")).toBe("resp")
    expect(ask("annals log --fo", "annals", "log", "--fo")).toBe("--follow")
  })
})
