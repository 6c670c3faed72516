import { expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"
import { controlHarness } from "../server/ports.ts"

it("HIMPORT makes hashes of fields named before, for the connection that named them", () => {
  const { harness } = controlHarness()
  expect(transcript(
    `
    HIMPORT PREPARE person name city
    HIMPORT PREPARE dup a b a
    HIMPORT PREPARE person
    HIMPORT SET p:1 person Ada London
    HIMPORT SET p:2 person Grace
    HIMPORT SET p:2 nobody Grace x
    2: HIMPORT SET p:2 person Grace x
    HSET p:1 extra 1
    EXPIRE p:1 100
    HIMPORT SET p:1 person Alan Wilmslow
    HGETALL p:1
    TTL p:1
    SET text x
    HIMPORT SET text person Ada London
    HIMPORT SET text nobody Ada London
    HIMPORT PREPARE person only
    HIMPORT SET p:3 person one
    HIMPORT SET p:3 person one two
    HIMPORT DISCARD person
    HIMPORT DISCARD person
    HIMPORT SET p:4 person one
    HIMPORT PREPARE a 1
    HIMPORT PREPARE b 1 2
    HIMPORT DISCARDALL
    HIMPORT DISCARDALL
    HIMPORT PREPARE "" f
    HIMPORT SET e "" v
    MULTI
    HIMPORT PREPARE t x
    HIMPORT SET t:1 t 1
    EXEC
    RESET
    HIMPORT SET t:1 t 1
    HIMPORT BOGUS
    HIMPORT
  `,
    { harness }
  )).toMatchInlineSnapshot(`
    "> HIMPORT PREPARE person name city
    OK
    > HIMPORT PREPARE dup a b a
    (error) ERR duplicate field name in fieldset
    > HIMPORT PREPARE person
    (error) ERR wrong number of arguments for 'himport|prepare' command
    > HIMPORT SET p:1 person Ada London
      #1 HashFieldsSet key=p:1 pairs=[name Ada city London]
    OK
    > HIMPORT SET p:2 person Grace
    (error) ERR value count does not match fieldset field count
    > HIMPORT SET p:2 nobody Grace x
    (error) ERR no such fieldset
    > 2: HIMPORT SET p:2 person Grace x
    (error) ERR no such fieldset
    > HSET p:1 extra 1
      #2 HashFieldsSet key=p:1 pairs=[extra 1]
    (integer) 1
    > EXPIRE p:1 100
      #3 KeyExpirySet key=p:1 expireAt=1700000100000
    (integer) 1
    > HIMPORT SET p:1 person Alan Wilmslow
      #4 KeyDeleted key=p:1
      #4 HashFieldsSet key=p:1 pairs=[name Alan city Wilmslow]
    OK
    > HGETALL p:1
    ["name", "Alan", "city", "Wilmslow"]
    > TTL p:1
    (integer) -1
    > SET text x
      #5 StringSet key=text value=x expireAt=null
    OK
    > HIMPORT SET text person Ada London
    (error) WRONGTYPE Operation against a key holding the wrong kind of value
    > HIMPORT SET text nobody Ada London
    (error) WRONGTYPE Operation against a key holding the wrong kind of value
    > HIMPORT PREPARE person only
    OK
    > HIMPORT SET p:3 person one
      #6 HashFieldsSet key=p:3 pairs=[only one]
    OK
    > HIMPORT SET p:3 person one two
    (error) ERR value count does not match fieldset field count
    > HIMPORT DISCARD person
    (integer) 1
    > HIMPORT DISCARD person
    (integer) 0
    > HIMPORT SET p:4 person one
    (error) ERR no such fieldset
    > HIMPORT PREPARE a 1
    OK
    > HIMPORT PREPARE b 1 2
    OK
    > HIMPORT DISCARDALL
    (integer) 2
    > HIMPORT DISCARDALL
    (integer) 0
    > HIMPORT PREPARE "" f
    OK
    > HIMPORT SET e "" v
      #7 HashFieldsSet key=e pairs=[f v]
    OK
    > MULTI
    OK
    > HIMPORT PREPARE t x
    QUEUED
    > HIMPORT SET t:1 t 1
    QUEUED
    > EXEC
      #8 HashFieldsSet key=t:1 pairs=[x 1]
    [OK, OK]
    > RESET
    RESET
    > HIMPORT SET t:1 t 1
    (error) ERR no such fieldset
    > HIMPORT BOGUS
    (error) ERR unknown subcommand 'BOGUS'. Try HIMPORT HELP.
    > HIMPORT
    (error) ERR wrong number of arguments for 'himport' command"
  `)
})

it("HIMPORT's fieldsets count for the memory of their client", () => {
  const { harness } = controlHarness()
  const { client } = harness.connection
  harness.run("HIMPORT", "PREPARE", "a", "x".repeat(1000))
  const one = client.fieldsets!.bytes
  expect(one).toBeGreaterThan(1000)
  harness.run("HIMPORT", "PREPARE", "b", "x".repeat(1000))
  expect(client.fieldsets!.bytes).toBe(2 * one)
  harness.run("HIMPORT", "PREPARE", "a", "y")
  harness.run("HIMPORT", "DISCARD", "a")
  expect(client.fieldsets!.bytes).toBe(one)
  harness.run("HIMPORT", "DISCARD", "b")
  expect(client.fieldsets!.bytes).toBe(0)
})
