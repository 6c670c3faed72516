/**
 * What a stream and its consumer group must hold after a crash. A producer and some consumers work in rounds, side by side
 * but never two of them on the same entries; so every request that was answered has an outcome that is known exactly, and
 * of those that were not answered each has happened whole or not at all.
 */
import type { Random } from "../support/random.ts"
import { encodeRequest, parseReply, plain, type RespClient } from "../support/resp-client.ts"
import { ConnectionClosed } from "../support/resp-client.ts"

const key = "jobs"
const group = "workers"
export const consumerCount = 8

interface Held {
  owner: string
  count: number
}

/** A request that was sent and not answered. */
type Unanswered =
  | { readonly what: "read"; readonly consumer: string; readonly most: number }
  | { readonly what: "acknowledge"; readonly ids: ReadonlyArray<string> }
  | { readonly what: "delete"; readonly ids: ReadonlyArray<string> }
  | { readonly what: "claim"; readonly consumer: string; readonly ids: ReadonlyArray<string> }
  | { readonly what: "again"; readonly ids: ReadonlyArray<string> }
  | { readonly what: "trim"; readonly from: string }

/** The order of ids written as text. */
const order = (a: string, b: string): number => {
  const [aMs, aSeq] = a.split("-").map(Number) as [number, number]
  const [bMs, bSeq] = b.split("-").map(Number) as [number, number]
  return aMs - bMs || aSeq - bSeq
}

type Entry = readonly [id: string, pairs: ReadonlyArray<string>]

/** See the head of this file. */
export class GroupOracle {
  /** Requests answered, by what they did. */
  readonly answered: Record<string, number> = {}
  private readonly entries = new Map<string, string>()
  private readonly pending = new Map<string, Held>()
  private frontier = "0-0"
  private next = 0
  /** Payloads sent that no reply has confirmed, in order. */
  private unconfirmed: Array<string> = []
  private unanswered: Array<Unanswered> = []

  /** Makes stream and group. */
  async begin(client: RespClient): Promise<void> {
    await this.ask(client, "XGROUP", "CREATE", key, group, "0", "MKSTREAM")
  }

  private async ask(client: RespClient, ...words: ReadonlyArray<string>): Promise<unknown> {
    const reply = await client.command(...words)
    if (reply.type === "error") throw new Error(`${words.join(" ")} answered ${String(plain(reply))}`)
    return plain(reply)
  }

  /** Works until the connections end. */
  async run(random: Random, producer: RespClient, consumers: ReadonlyArray<RespClient>): Promise<void> {
    for (let ended = false; !ended;) {
      const done = await Promise.all(this.round(random, producer, consumers))
      ended = done.includes(false)
    }
  }

  /** One request, or a pipeline of additions, for each connection. Each promise says whether it was answered. */
  private round(random: Random, producer: RespClient, consumers: ReadonlyArray<RespClient>): Array<Promise<boolean>> {
    const free = new Set(this.pending.keys())
    const take = (wanted: (held: Held) => boolean, most: number): Array<string> => {
      const ids = [...free].filter((id) => wanted(this.pending.get(id)!)).slice(0, most)
      for (const id of ids) free.delete(id)
      return ids
    }
    const own = (i: number) => ({ owner }: Held): boolean => owner === `c${i}`
    const plans = consumers.map((client, i) => ({ client, i, dice: random.fraction(), most: random.between(1, 8) }))
    // Who asks for all it has comes first: nobody else may then claim any of it, before or after.
    const again = new Map(
      plans.filter(({ dice }) => dice >= 0.45 && dice < 0.5).map(({ i }) => [i, take(own(i), Infinity)])
    )
    const work = plans.map(({ client, dice, i, most }): Promise<boolean> => {
      const name = `c${i}`
      if (dice < 0.45) return this.read(client, name, most)
      const all = again.get(i)
      if (all !== undefined) return this.readAgain(client, name, all)
      const ids = dice < 0.65 ? take((held) => !own(i)(held), most) : take(own(i), most)
      if (ids.length === 0) return this.read(client, name, most)
      return dice < 0.65 ? this.claim(client, name, ids) : this.acknowledge(client, ids)
    })
    const dice = random.fraction()
    if (dice < 0.7 || this.entries.size < 50) work.push(this.add(producer, random.between(1, 40)))
    else if (dice < 0.85) work.push(this.remove(producer, this.finished().slice(0, random.between(1, 5))))
    else work.push(this.trim(producer))
    return work
  }

  /** Entries that were read and acknowledged. */
  private finished(): Array<string> {
    return [...this.entries.keys()].filter((id) => order(id, this.frontier) <= 0 && !this.pending.has(id))
  }

  /** Sends a request; calls back with its reply, or keeps it as unanswered. */
  private async send(
    client: RespClient,
    words: ReadonlyArray<string>,
    unanswered: Unanswered,
    took: (reply: unknown) => void
  ): Promise<boolean> {
    let reply: unknown
    try {
      reply = await this.ask(client, ...words)
    } catch (cause) {
      if (!(cause instanceof ConnectionClosed)) throw cause
      this.unanswered.push(unanswered)
      return false
    }
    this.answered[unanswered.what] = (this.answered[unanswered.what] ?? 0) + 1
    took(reply)
    return true
  }

  private async add(client: RespClient, count: number): Promise<boolean> {
    const payloads = Array.from({ length: count }, () => `job ${this.next++}`)
    this.unconfirmed.push(...payloads)
    const requests = payloads.map((payload) => encodeRequest(["XADD", key, "*", "payload", payload]))
    let replies: ReadonlyArray<Buffer>
    let ended = false
    try {
      replies = await client.raw(Buffer.concat(requests), requests.length)
    } catch (cause) {
      if (!(cause instanceof ConnectionClosed)) throw cause
      replies = cause.received
      ended = true
    }
    for (const [i, reply] of replies.entries()) {
      this.entries.set(String(plain(parseReply(reply))), payloads[i]!)
      this.unconfirmed.shift()
    }
    this.answered["add"] = (this.answered["add"] ?? 0) + replies.length
    return !ended
  }

  private read(client: RespClient, consumer: string, most: number): Promise<boolean> {
    const words = ["XREADGROUP", "GROUP", group, consumer, "COUNT", `${most}`, "STREAMS", key, ">"]
    return this.send(client, words, { what: "read", consumer, most }, (reply) => {
      for (const [id] of entriesOf(reply)) {
        if (this.pending.has(id)) throw new Error(`${id} was delivered as new although it is pending`)
        this.pending.set(id, { owner: consumer, count: 1 })
        if (order(id, this.frontier) > 0) this.frontier = id
      }
    })
  }

  private readAgain(client: RespClient, consumer: string, ids: ReadonlyArray<string>): Promise<boolean> {
    const words = ["XREADGROUP", "GROUP", group, consumer, "STREAMS", key, "0"]
    return this.send(client, words, { what: "again", ids }, (reply) => {
      expectSame("pending for a consumer", entriesOf(reply).map(([id]) => id), [...ids].sort(order))
      for (const id of ids) this.pending.get(id)!.count++
    })
  }

  private claim(client: RespClient, consumer: string, ids: ReadonlyArray<string>): Promise<boolean> {
    return this.send(
      client,
      ["XCLAIM", key, group, consumer, "0", ...ids],
      { what: "claim", consumer, ids },
      (reply) => {
        expectSame("claimed", (reply as ReadonlyArray<Entry>).map(([id]) => id), ids)
        for (const id of ids) this.pending.set(id, { owner: consumer, count: this.pending.get(id)!.count + 1 })
      }
    )
  }

  private acknowledge(client: RespClient, ids: ReadonlyArray<string>): Promise<boolean> {
    return this.send(client, ["XACK", key, group, ...ids], { what: "acknowledge", ids }, (reply) => {
      expectSame("acknowledged", reply, ids.length)
      for (const id of ids) this.pending.delete(id)
    })
  }

  private remove(client: RespClient, ids: ReadonlyArray<string>): Promise<boolean> {
    if (ids.length === 0) return this.add(client, 5)
    return this.send(client, ["XDEL", key, ...ids], { what: "delete", ids }, (reply) => {
      expectSame("deleted", reply, ids.length)
      for (const id of ids) this.entries.delete(id)
    })
  }

  private trim(client: RespClient): Promise<boolean> {
    const kept = [...this.pending.keys(), this.frontier].sort(order)
    const from = kept[0]!
    return this.send(client, ["XTRIM", key, "MINID", from], { what: "trim", from }, (reply) => {
      const gone = [...this.entries.keys()].filter((id) => order(id, from) < 0)
      expectSame("trimmed", reply, gone.length)
      for (const id of gone) this.entries.delete(id)
    })
  }

  // ——— after a restart ———

  /** Compares with what a server holds, and goes on from there. Throws with what is wrong. */
  async check(client: RespClient): Promise<void> {
    const found = (await this.ask(client, "XRANGE", key, "-", "+")) as ReadonlyArray<Entry>
    this.checkEntries(new Map(found.map(([id, pairs]) => [id, pairs[1]!])))
    const listed = (await this.ask(client, "XPENDING", key, group, "-", "+", "1000000")) as ReadonlyArray<
      readonly [string, string, number, number]
    >
    const [info] = (await this.ask(client, "XINFO", "GROUPS", key)) as ReadonlyArray<ReadonlyArray<unknown>>
    const last = String(info![info!.indexOf("last-delivered-id") + 1])
    this.checkPending(new Map(listed.map(([id, owner, , count]) => [id, { owner, count }])), last)
    const consumers = (await this.ask(client, "XINFO", "CONSUMERS", key, group)) as ReadonlyArray<
      ReadonlyArray<unknown>
    >
    for (const consumer of consumers) {
      const field = (name: string): unknown => consumer[consumer.indexOf(name) + 1]
      const own = [...this.pending.values()].filter(({ owner }) => owner === field("name")).length
      expectSame(`pending for ${String(field("name"))}`, field("pending"), own)
    }
    this.unanswered = []
    this.unconfirmed = []
  }

  private checkEntries(found: ReadonlyMap<string, string>): void {
    const extra = [...found].filter(([id]) => !this.entries.has(id)).map(([, payload]) => payload)
    expectSame("entries nobody confirmed", extra, this.unconfirmed.slice(0, extra.length))
    const lost = new Set([...this.entries.keys()].filter((id) => !found.has(id)))
    for (const request of this.unanswered) {
      if (request.what !== "delete" && request.what !== "trim") continue
      const ids = request.what === "delete"
        ? request.ids
        : [...this.entries.keys()].filter((id) => order(id, request.from) < 0)
      if (!ids.some((id) => lost.has(id))) continue
      for (const id of ids) {
        if (!lost.delete(id)) throw new Error(`half of a request has happened: ${JSON.stringify(request)}`)
      }
    }
    if (lost.size > 0) throw new Error(`entries are lost: ${[...lost].join(" ")}`)
    for (const [id, payload] of this.entries) {
      const now = found.get(id)
      if (now === undefined) this.entries.delete(id)
      else expectSame(`payload of ${id}`, now, payload)
    }
    for (const [id, payload] of found) this.entries.set(id, payload)
  }

  private checkPending(found: ReadonlyMap<string, Held>, last: string): void {
    for (const request of this.unanswered) {
      if ("ids" in request && request.what !== "delete") this.settle(request, found)
    }
    for (const [id, held] of this.pending) expectSame(`pending ${id}`, found.get(id), held)
    // What is more can only be what unanswered reads were given: all entries behind the last one known to be delivered.
    const extra = [...found.keys()].filter((id) => !this.pending.has(id)).sort(order)
    const given = [...this.entries.keys()].filter((id) => order(id, this.frontier) > 0 && order(id, last) <= 0)
    expectSame("delivered without an answer", extra, given.sort(order))
    if (extra.length === 0 && last !== this.frontier) throw new Error(`the group goes on after ${last}`)
    const reads = new Map(this.unanswered.flatMap((read) => read.what === "read" ? [[read.consumer, read.most]] : []))
    for (const id of extra) {
      const held = found.get(id)!
      const left = reads.get(held.owner) ?? 0
      if (left === 0 || held.count !== 1) throw new Error(`${id} came to ${held.owner}, ${held.count} times`)
      reads.set(held.owner, left - 1)
      this.pending.set(id, held)
    }
    this.frontier = last
  }

  /** Finds out whether an unanswered request has happened; it cannot have happened for some of its entries. */
  private settle(
    request: Unanswered & { readonly ids: ReadonlyArray<string> },
    found: ReadonlyMap<string, Held>
  ): void {
    const after = request.ids.map((id): Held | undefined => {
      const { count, owner } = this.pending.get(id)!
      if (request.what === "acknowledge") return undefined
      return { owner: request.what === "claim" ? request.consumer : owner, count: count + 1 }
    })
    const same = (i: number): boolean => JSON.stringify(found.get(request.ids[i]!)) === JSON.stringify(after[i])
    const happened = request.ids.filter((_, i) => same(i)).length
    if (happened === 0) return
    if (happened < request.ids.length) throw new Error(`half of a request has happened: ${JSON.stringify(request)}`)
    for (const [i, id] of request.ids.entries()) {
      const held = after[i]
      if (held === undefined) this.pending.delete(id)
      else this.pending.set(id, held)
    }
  }
}

const entriesOf = (reply: unknown): ReadonlyArray<Entry> =>
  reply === null ? [] : (reply as ReadonlyArray<readonly [string, ReadonlyArray<Entry>]>)[0]![1]

const expectSame = (what: string, found: unknown, wanted: unknown): void => {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)]
  if (a !== b) throw new Error(`${what}: ${a} where ${b} was expected`)
}
