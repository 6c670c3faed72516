/** Programs in Python as clients: which interpreter has a package, and running a script that may ask for a crash. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { scratchDir } from "../process/oracle.ts"
import { dyingWithUs, startAnnals } from "../support/processes.ts"

/** An interpreter that has these packages: Debian's, or another one that PATH has in front of it. */
export const pythonWith = (...packages: ReadonlyArray<string>): string | undefined =>
  ["/usr/bin/python3", "python3"].find((program) =>
    spawnSync(program, ["-c", `import ${packages.join(", ")}`], { stdio: "ignore" }).status === 0
  )

/** What a script said. */
export interface Said {
  readonly code: number | null
  /** What it wrote to standard error. */
  readonly complaints: string
  /** The lines it printed. */
  readonly parts: ReadonlyArray<string>
}

/**
 * Runs a script of this folder with the port of a server of its own. When the script prints "kill the server" that is
 * done, by SIGKILL, and once it is there again on the same port and directory the script reads a line.
 */
export const runPython = async (python: string, script: string): Promise<Said> => {
  const dir = scratchDir(script)
  let server = await startAnnals({ dir })
  const { port } = server
  const words = dyingWithUs([python, fileURLToPath(new URL(script, import.meta.url)), `${port}`])
  const child: ChildProcess = spawn(words[0]!, words.slice(1), {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" }
  })
  const ended = once(child, "close") as Promise<[number | null]>
  try {
    let complaints = ""
    child.stderr!.on("data", (bytes: Buffer) => complaints += bytes.toString())
    const parts: Array<string> = []
    for await (const line of createInterface(child.stdout!)) {
      if (line !== "kill the server") {
        parts.push(line)
        continue
      }
      await server.kill()
      server = await startAnnals({ dir, port })
      child.stdin!.end("go on\n")
    }
    const [code] = await ended
    return { code, complaints, parts }
  } finally {
    child.kill("SIGKILL")
    await server.kill()
  }
}
