/** Runs commands that read on data of the past: an executor without log, network and clock, and with nothing to bury. */
import { ClientState } from "../commands/client.ts"
import type { Argv } from "../commands/define.ts"
import { SeededRandom, View } from "../commands/executor/lookup.ts"
import { Statistics } from "../commands/executor/statistics.ts"
import { pastCommand } from "../commands/log/inner.ts"
import { noMemoryLimit } from "../commands/memory-policy.ts"
import { CommandTable } from "../commands/table.ts"
import { type Reply, ReplyError } from "../net/resp/reply.ts"
import type { Keyspace } from "../projections/keyspace.ts"
import { Slice } from "../projections/memory/slice.ts"
import { encoded } from "./replies.ts"

/** Data, and the time that commands take for now, Unix ms: keys and fields whose deadline has passed by then are absent. */
export interface PastData {
  readonly keyspace: Keyspace
  readonly time: number
}

/** A request over buffers of its own. */
export const argvOf = (words: ReadonlyArray<Uint8Array>): Argv => {
  const slices = words.map((word) => new Slice(word))
  return { length: slices.length, at: (index) => slices[index]! }
}

/** Answers requests about the past. One may serve any number of keyspaces. */
export class PastAsker {
  private readonly table: CommandTable
  private readonly statistics: Statistics
  private readonly client = new ClientState(0, "", "", 0)
  private readonly seed: number

  /** `seed`: of what commands that choose at random choose. */
  constructor(seed = 1, table = new CommandTable()) {
    this.table = table
    this.seed = seed
    this.statistics = new Statistics(table, () => 0)
    this.client.noTouch = true // looking leaves no trace, not even in how long a key was idle
  }

  /**
   * The encoded reply to a request, its name first, in database `db`, for a connection of this version of the protocol.
   * What cannot be asked is answered by an error: `READONLY` for a command that writes.
   */
  ask(
    { keyspace, time }: PastData,
    words: ReadonlyArray<Uint8Array>,
    { db = 0, protocol = 2 }: { readonly db?: number; readonly protocol?: number } = {}
  ): Uint8Array {
    return encoded(this.reply(keyspace, time, argvOf(words), db, protocol), protocol)
  }

  private reply(keyspace: Keyspace, time: number, argv: Argv, db: number, protocol: number): Reply {
    const { client, statistics } = this
    const view = new View(keyspace, {
      statistics,
      random: new SeededRandom(this.seed),
      memory: noMemoryLimit(),
      buryDead: () => false,
      buryFields: () => false,
      mayRecord: () => false,
      missed: () => {},
      mayNotWait: () => true
    })
    view.setTime(time)
    client.db = db
    client.protocol = protocol === 3 ? 3 : 2
    try {
      const row = pastCommand(this.table, argv)
      view.begin(client, row.name, argv)
      return row.decide!(view, argv)
    } catch (refusal) {
      if (!(refusal instanceof ReplyError)) throw refusal
      return refusal
    }
  }
}
