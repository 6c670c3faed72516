import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"
import { limit, oom } from "../executor/memory.ts"
import { controlHarness } from "../server/ports.ts"

const run = (script: string): string => transcript(script, { harness: controlHarness().harness })

describe("MULTI and EXEC", () => {
  it("queues, then runs, as one batch", () => {
    expect(run(`MULTI
                       SET a 1
                       INCR a
                       GET a
                       EXEC
                       GET a`)).toMatchInlineSnapshot(`
                         "> MULTI
                         OK
                         > SET a 1
                         QUEUED
                         > INCR a
                         QUEUED
                         > GET a
                         QUEUED
                         > EXEC
                           #1 StringSet key=a value=1 expireAt=null
                           #1 StringIncremented key=a value=2
                         [OK, (integer) 2, "2"]
                         > GET a
                         "2""
                       `)
  })

  it("runs the rest when a command fails", () => {
    expect(run(`MULTI
                       SET a x
                       INCR a
                       SET b 1
                       EXEC`)).toMatchInlineSnapshot(`
                         "> MULTI
                         OK
                         > SET a x
                         QUEUED
                         > INCR a
                         QUEUED
                         > SET b 1
                         QUEUED
                         > EXEC
                           #1 StringSet key=a value=x expireAt=null
                           #1 StringSet key=b value=1 expireAt=null
                         [OK, (error) ERR value is not an integer or out of range, OK]"
                       `)
  })

  it("does nothing when a request was refused", () => {
    expect(run(`MULTI
                       SET a x
                       GET
                       EXEC
                       NOPE
                       MULTI
                       NOPE
                       SET a 1
                       EXEC
                       MULTI
                       DISCARD x
                       EXEC
                       MULTI
                       EXEC x
                       EXEC
                       GET a`)).toMatchInlineSnapshot(`
                         "> MULTI
                         OK
                         > SET a x
                         QUEUED
                         > GET
                         (error) ERR wrong number of arguments for 'get' command
                         > EXEC
                         (error) EXECABORT Transaction discarded because of previous errors.
                         > NOPE
                         (error) ERR unknown command 'NOPE', with args beginning with: 
                         > MULTI
                         OK
                         > NOPE
                         (error) ERR unknown command 'NOPE', with args beginning with: 
                         > SET a 1
                         QUEUED
                         > EXEC
                         (error) EXECABORT Transaction discarded because of previous errors.
                         > MULTI
                         OK
                         > DISCARD x
                         (error) ERR wrong number of arguments for 'discard' command
                         > EXEC
                         (error) EXECABORT Transaction discarded because of previous errors.
                         > MULTI
                         OK
                         > EXEC x
                         (error) EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command
                         > EXEC
                         (error) ERR EXEC without MULTI
                         > GET a
                         (nil)"
                       `)
  })

  it("refuses what makes no sense", () => {
    expect(run(`EXEC
                       DISCARD
                       UNWATCH
                       MULTI
                       MULTI
                       WATCH a
                       PING
                       EXEC
                       EXEC a`)).toMatchInlineSnapshot(`
                         "> EXEC
                         (error) ERR EXEC without MULTI
                         > DISCARD
                         (error) ERR DISCARD without MULTI
                         > UNWATCH
                         OK
                         > MULTI
                         OK
                         > MULTI
                         (error) ERR MULTI calls can not be nested
                         > WATCH a
                         (error) ERR WATCH inside MULTI is not allowed
                         > PING
                         QUEUED
                         > EXEC
                         [PONG]
                         > EXEC a
                         (error) EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command"
                       `)
  })

  it("leaves nothing of a discarded transaction", () => {
    expect(run(`MULTI
                       SET a 1
                       DISCARD
                       GET a
                       EXEC`)).toMatchInlineSnapshot(`
                         "> MULTI
                         OK
                         > SET a 1
                         QUEUED
                         > DISCARD
                         OK
                         > GET a
                         (nil)
                         > EXEC
                         (error) ERR EXEC without MULTI"
                       `)
  })

  it("records events of several databases in one batch", () => {
    expect(run(`MULTI
                       SET a 0
                       SELECT 3
                       SET a 3
                       MOVE a 4
                       SWAPDB 0 4
                       SELECT 0
                       GET a
                       EXEC
                       SELECT 4
                       GET a`)).toMatchInlineSnapshot(`
                         "> MULTI
                         OK
                         > SET a 0
                         QUEUED
                         > SELECT 3
                         QUEUED
                         > SET a 3
                         QUEUED
                         > MOVE a 4
                         QUEUED
                         > SWAPDB 0 4
                         QUEUED
                         > SELECT 0
                         QUEUED
                         > GET a
                         QUEUED
                         > EXEC
                           #1 StringSet key=a value=0 expireAt=null
                           #1 db3 StringSet key=a value=3 expireAt=null
                           #1 db3 KeyMoved key=a toDb=4
                           #1 db3 DatabasesSwapped first=0 second=4
                         [OK, OK, OK, (integer) 1, OK, OK, "3"]
                         > SELECT 4
                         OK
                         > GET a
                         "0""
                       `)
  })

  it("buries a dead key inside its batch, in its place", () => {
    expect(run(`SET k 1 PX 100
                       SET l 1 PX 100
                       MULTI
                       SET a 1
                       INCR k
                       SWAPDB 0 1
                       GET l
                       SELECT 1
                       GET l
                       +200
                       EXEC`)).toMatchInlineSnapshot(`
                         "> SET k 1 PX 100
                           #1 StringSet key=k value=1 expireAt=1700000000100
                         OK
                         > SET l 1 PX 100
                           #2 StringSet key=l value=1 expireAt=1700000000100
                         OK
                         > MULTI
                         OK
                         > SET a 1
                         QUEUED
                         > INCR k
                         QUEUED
                         > SWAPDB 0 1
                         QUEUED
                         > GET l
                         QUEUED
                         > SELECT 1
                         QUEUED
                         > GET l
                         QUEUED
                         > +200
                         > EXEC
                           #3 StringSet key=a value=1 expireAt=null
                           #3 KeyExpired key=k
                           #3 StringIncremented key=k value=1
                           #3 DatabasesSwapped first=0 second=1
                           #3 db1 KeyExpired key=l
                         [OK, (integer) 1, OK, (nil), OK, (nil)]"
                       `)
  })

  it("answers nothing but an empty array to an empty transaction, and leaves no batch", () => {
    expect(run(`MULTI
                       EXEC
                       MULTI
                       GET a
                       EXEC`)).toMatchInlineSnapshot(`
                         "> MULTI
                         OK
                         > EXEC
                         []
                         > MULTI
                         OK
                         > GET a
                         QUEUED
                         > EXEC
                         [(nil)]"
                       `)
  })
})

describe("a transaction without memory", () => {
  const full = () => {
    const { harness } = controlHarness()
    harness.run("SET", "k", "1")
    const go = (): void => limit(harness, { limit: 1, policy: "noeviction" })
    return { harness, go }
  }

  it("may not grow any more, nor run if something in it asks for memory", () => {
    const { go, harness } = full()
    harness.run("MULTI")
    expect(harness.run("SET", "k", "2")).toBe("+QUEUED\r\n")
    go()
    expect(harness.run("EXEC")).toBe(`-EXECABORT Transaction discarded because of: ${oom.slice(1)}`)
    expect(harness.run("EXEC")).toBe("-ERR EXEC without MULTI\r\n")
    expect(harness.run("MULTI")).toBe("+OK\r\n")
    expect(harness.run("GET", "k")).toBe(oom)
    expect(harness.run("EXEC")).toMatch(/^-EXECABORT Transaction discarded because of previous errors/)
    expect(harness.batches.length).toBe(1)
  })

  it("runs when nothing in it does, and can be left", () => {
    const { go, harness } = full()
    harness.run("MULTI")
    harness.run("DEL", "k")
    go()
    expect(harness.run("EXEC")).toBe("*1\r\n:1\r\n")
    harness.run("SET", "k", "1")
    harness.run("MULTI")
    expect(harness.run("DISCARD")).toBe("+OK\r\n")
  })
})
