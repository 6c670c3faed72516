/** Real servers that replicate, for tests. */
import { setTimeout as delay } from "node:timers/promises"
import { afterEach } from "vitest"
import { type ServerProcess, startAnnals, temporaryDir } from "../support/processes.ts"
import { plain, type RespClient } from "../support/resp-client.ts"

/** Fields of INFO that tests look at. */
type Field =
  | "connected_slaves"
  | "log_sequence"
  | "log_segments"
  | "master_failover_state"
  | "master_link_status"
  | "master_repl_offset"
  | "master_replid"
  | "master_sync_in_progress"
  | "min_slaves_good_slaves"
  | "replication_epoch"
  | "replication_set_aside_batches"
  | "role"
  | "slave0"
  | "slave_repl_offset"
  | "sync_full"
  | "sync_partial_ok"
  | "sync_partial_err"

/** A server that may be killed and started again in the same directory, on the same port. */
export class Node {
  server: ServerProcess
  readonly args: ReadonlyArray<string>
  private connection: RespClient | undefined = undefined

  private constructor(server: ServerProcess, args: ReadonlyArray<string>) {
    this.server = server
    this.args = args
  }

  static async start(...args: ReadonlyArray<string>): Promise<Node> {
    const node = new Node(await startAnnals({ dir: temporaryDir("replication"), args }), args)
    nodes.add(node)
    return node
  }

  get port(): number {
    return this.server.port
  }

  async client(): Promise<RespClient> {
    if (this.connection === undefined || this.connection.closed) this.connection = await this.server.client()
    return this.connection
  }

  /** The reply to one request; errors as their text. */
  async ask(...words: ReadonlyArray<string>): Promise<unknown> {
    const reply = plain(await (await this.client()).command(...words))
    return reply instanceof Error ? reply.message : reply
  }

  /** Fields of INFO. */
  async info(section = "replication"): Promise<Record<Field, string>> {
    const text = String(await this.ask("INFO", section))
    const fields = text.split("\r\n").flatMap((line) => {
      const at = line.indexOf(":")
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]]
    })
    return Object.fromEntries(fields) as Record<Field, string>
  }

  async kill(): Promise<void> {
    await this.server.kill()
  }

  /** Starts it again where it was. */
  async restart(...more: ReadonlyArray<string>): Promise<void> {
    const { dir, port } = this.server
    this.server = await startAnnals({ dir, port, args: [...this.args, ...more] })
  }

  async stop(): Promise<void> {
    await this.server.stop()
  }

  follow(primary: Node, ...more: ReadonlyArray<string>): Promise<unknown> {
    return this.ask("REPLICAOF", "127.0.0.1", `${primary.port}`, ...more)
  }
}

const nodes = new Set<Node>()

/** To be called once by every file that starts nodes. */
export const stopAfterEach = (): void => {
  afterEach(async () => {
    await Promise.all([...nodes].map((node) => node.kill()))
    nodes.clear()
  })
}

/** Waits until something is so. */
export const until = async (what: string, so: () => Promise<boolean>, ms = 20_000): Promise<void> => {
  const end = performance.now() + ms
  while (!(await so())) {
    if (performance.now() > end) throw new Error(`it did not come about within ${ms} ms: ${what}`)
    await delay(10)
  }
}

/** Waits until a replica has all that its primary had when this was called. */
export const caughtUp = async (primary: Node, ...replicas: ReadonlyArray<Node>): Promise<void> => {
  const { log_sequence: wanted } = await primary.info("eventlog")
  for (const replica of replicas) {
    await until(`the replica has sequence ${wanted}`, async () => {
      const { log_sequence: sequence } = await replica.info("eventlog")
      const { master_link_status: link } = await replica.info()
      return link === "up" && Number(sequence) >= Number(wanted)
    })
  }
}

/** Digests of all data. */
export const digests = async (...servers: ReadonlyArray<Node>): Promise<ReadonlyArray<unknown>> =>
  Promise.all(servers.map((server) => server.ask("DEBUG", "DIGEST")))
