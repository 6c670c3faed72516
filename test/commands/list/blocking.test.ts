/** Commands that wait: who is served, by what, in which order, and when a wait ends otherwise. */
import { describe, expect, it } from "vitest"
import { ReplyBuffer } from "../../../src/net/resp/encoder.ts"
import { Harness, type TestConnection } from "../../support/harness.ts"
import { controlHarness } from "../server/ports.ts"

/** A harness with as many connections as are named, each by a number. */
class World {
  readonly harness = controlHarness().harness
  readonly clients: ReadonlyArray<TestConnection>

  constructor(count = 6) {
    this.clients = Array.from({ length: count }, (_, i) => this.harness.connect(i + 2))
  }

  /** Runs a request of connection `i`; "" when nothing is answered yet. */
  ask(i: number, request: string): string {
    return this.harness.bytes(request.split(" "), this.clients[i])!.toString("latin1")
  }

  /** What connection `i` was answered since it began to wait. */
  answers(i: number): ReadonlyArray<string> {
    return this.clients[i]!.answers.splice(0).map((reply) => {
      const out = new ReplyBuffer()
      out.write(reply, 2)
      return Buffer.concat(out.take()).toString("latin1")
    })
  }

  get waiting(): number {
    return this.harness.executor.waiters.size
  }

  pass(ms: number): void {
    this.harness.now += ms
    this.harness.executor.endWaits()
  }

  events(): ReadonlyArray<string> {
    return this.harness.batches.splice(0).map(({ events }) => events.map((event) => event._tag).join("+"))
  }
}

const popped = (key: string, element: string): string =>
  `*2\r\n$${key.length}\r\n${key}\r\n$${element.length}\r\n${element}\r\n`

describe("waiting for a list", () => {
  it("ends in the order of arrival, one element each", () => {
    const world = new World()
    for (const i of [2, 0, 1]) expect(world.ask(i, "BLPOP l 0")).toBe("")
    expect(world.waiting).toBe(3)
    expect(world.ask(5, "RPUSH l a b")).toBe(":2\r\n")
    expect(world.answers(2)).toEqual([popped("l", "a")])
    expect(world.answers(0)).toEqual([popped("l", "b")])
    expect(world.answers(1)).toEqual([])
    expect(world.events()).toEqual(["ListPushed", "ListPopped", "ListPopped"])
    expect(world.ask(5, "EXISTS l")).toBe(":0\r\n")
    expect(world.waiting).toBe(1)
  })

  it("ends by the key that was pushed to first, of several", () => {
    const world = new World()
    world.ask(0, "BLPOP a b c 0")
    world.ask(5, "MULTI")
    world.ask(5, "RPUSH b 1")
    world.ask(5, "RPUSH a 2")
    world.ask(5, "EXEC")
    expect(world.answers(0)).toEqual([popped("b", "1")])
    expect(world.ask(5, "LRANGE a 0 -1")).toBe("*1\r\n$1\r\n2\r\n")
  })

  it("does not wait inside of MULTI", () => {
    const world = new World()
    for (const request of ["MULTI", "BLPOP l 0", "BLMOVE l m LEFT LEFT 0", "BLMPOP 0 1 l LEFT", "BRPOPLPUSH l m 0"]) {
      world.ask(0, request)
    }
    expect(world.ask(0, "EXEC")).toBe("*4\r\n*-1\r\n$-1\r\n*-1\r\n$-1\r\n")
    expect(world.waiting).toBe(0)
  })

  it("ends after its time, exactly, and after CLIENT UNBLOCK", () => {
    const world = new World()
    world.ask(0, "BLPOP l 0.05")
    world.ask(1, "BLMOVE l m LEFT LEFT 0.02")
    world.pass(19)
    expect([world.answers(0), world.answers(1)]).toEqual([[], []])
    world.pass(1)
    expect([world.answers(0), world.answers(1)]).toEqual([[], ["*-1\r\n"]])
    world.pass(30)
    expect(world.answers(0)).toEqual(["*-1\r\n"])
    world.ask(2, "BLPOP l 0")
    world.ask(3, "BLPOP l 0")
    const { waiters } = world.harness.executor
    expect(waiters.unblock(world.clients[2]!, "timeout")).toBe(true)
    expect(waiters.unblock(world.clients[3]!, "error")).toBe(true)
    expect(waiters.unblock(world.clients[3]!, "error")).toBe(false)
    expect(world.answers(2)).toEqual(["*-1\r\n"])
    expect(world.answers(3)).toEqual(["-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"])
    expect(world.waiting).toBe(0)
    world.ask(5, "RPUSH l a")
    expect(world.ask(5, "LLEN l")).toBe(":1\r\n")
  })

  it("goes on while the key holds another type, and ends when it holds a list", () => {
    const world = new World()
    world.ask(0, "BLPOP l 0")
    for (const request of ["SET l x", "DEL l", "SADD l x", "DEL l", "HSET l f v", "DEL l", "ZADD l 1 x"]) {
      world.ask(5, request)
      expect(world.answers(0)).toEqual([])
    }
    world.ask(5, "RPUSH other a")
    world.ask(5, "RENAME other l")
    expect(world.answers(0)).toEqual([popped("l", "a")])
  })

  it("ends by any way a list comes to be: COPY, MOVE, SWAPDB, RESTORE, SORT", () => {
    for (
      const requests of [
        ["RPUSH s 1", "COPY s l"],
        ["SELECT 1", "RPUSH l 1", "MOVE l 0"],
        ["SELECT 1", "RPUSH l 1", "SWAPDB 0 1"],
        ["SADD s 1", "SORT s STORE l"],
        ["RPUSH s 1", "LMOVE s l LEFT RIGHT"],
        ["RPUSH s 1", "RPOPLPUSH s l"]
      ]
    ) {
      const world = new World()
      world.ask(0, "BLPOP l 0")
      for (const request of requests) world.ask(5, request)
      expect([requests, world.answers(0)]).toEqual([requests, [popped("l", "1")]])
    }
  })

  it("passes elements on through chains of BLMOVE", () => {
    const world = new World()
    world.ask(0, "BLMOVE a b LEFT RIGHT 0")
    world.ask(1, "BLMOVE b c LEFT RIGHT 0")
    world.ask(2, "BLMOVE c d LEFT RIGHT 0")
    world.ask(3, "BLPOP d 0")
    world.ask(5, "RPUSH a x")
    for (const i of [0, 1, 2]) expect(world.answers(i)).toEqual(["$1\r\nx\r\n"])
    expect(world.answers(3)).toEqual([popped("d", "x")])
    expect(world.ask(5, "EXISTS a b c d")).toBe(":0\r\n")
    expect(world.waiting).toBe(0)
  })

  it("ends with an error, and leaves the element, when the destination is no list", () => {
    const world = new World()
    world.ask(5, "SET d x")
    world.ask(0, "BLMOVE a d LEFT RIGHT 0")
    world.ask(1, "BLPOP a 0")
    world.ask(5, "RPUSH a x")
    expect(world.answers(0)).toEqual(["-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"])
    expect(world.answers(1)).toEqual([popped("a", "x")])
  })

  it("waits with BLMOVEM until there are enough", () => {
    const world = new World()
    world.ask(0, "BLMOVEM a b LEFT RIGHT 0 EXACTLY 3 BULK")
    world.ask(5, "RPUSH a 1 2")
    expect(world.answers(0)).toEqual([])
    world.ask(5, "RPUSH a 3 4")
    expect(world.answers(0)).toEqual(["*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n"])
    expect(world.ask(5, "LRANGE a 0 -1")).toBe("*1\r\n$1\r\n4\r\n")
  })

  it("is over for a connection that is gone: what comes goes to the next", () => {
    const world = new World()
    world.ask(0, "BLPOP l 0")
    world.ask(1, "BLPOP l 0")
    world.harness.executor.waiters.forget(world.clients[0]!)
    world.ask(5, "RPUSH l a")
    expect(world.answers(0)).toEqual([])
    expect(world.answers(1)).toEqual([popped("l", "a")])
  })

  it("of ten thousand on one key costs others nothing: each push looks at as many as it serves", () => {
    const world = new World(10_001)
    for (let i = 0; i < 10_000; i++) world.ask(i, "BLPOP l 0")
    expect(world.waiting).toBe(10_000)
    let served = 0
    const decide = world.harness.executor.table.byName("BLPOP")!
    const before = decide.calls
    for (let i = 0; i < 100; i++) world.ask(10_000, `RPUSH other${i} a`)
    for (let i = 0; i < 100; i++) {
      world.ask(10_000, `RPUSH l ${i}`)
      served += world.answers(i).length
    }
    expect(served).toBe(100)
    expect(world.waiting).toBe(9900)
    expect(decide.calls).toBe(before)
  })
})

describe("LMOVEM", () => {
  const order = (from: string, to: string, how: string): string => {
    const harness = new Harness()
    harness.run("RPUSH", "a", "1", "2", "3", "4")
    harness.run("RPUSH", "b", "x")
    const reply = harness.run("LMOVEM", "a", "b", from, to, ...how.split(" "))
    const list = (key: string): string => harness.run("LRANGE", key, "0", "-1").replace(/\*\d+\r\n|\$\d+\r\n|\r\n/g, "")
    return `${reply.replace(/\*\d+\r\n|\$\d+\r\n|\r\n/g, "")} ${list("a")} ${list("b")}`
  }

  it("answers what it moved in the order it has there", () => {
    expect(order("LEFT", "RIGHT", "COUNT 2 OBO")).toBe("12 34 x12")
    expect(order("LEFT", "LEFT", "COUNT 2 OBO")).toBe("21 34 21x")
    expect(order("LEFT", "LEFT", "COUNT 2 BULK")).toBe("12 34 12x")
    expect(order("RIGHT", "RIGHT", "COUNT 2 OBO")).toBe("43 12 x43")
    expect(order("RIGHT", "RIGHT", "COUNT 2 BULK")).toBe("34 12 x34")
    expect(order("RIGHT", "LEFT", "COUNT 9 OBO")).toBe("1234  1234x")
    expect(order("LEFT", "RIGHT", "EXACTLY 9 BULK")).toBe("*-1 1234 x")
  })
})
