import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"
import { controlHarness } from "../server/ports.ts"

const run = (script: string, ...args: ReadonlyArray<string>): string =>
  transcript(script, { harness: controlHarness(...args).harness })

describe("PING, ECHO, SELECT, QUIT", () => {
  it("answer as Redis", () => {
    expect(run(`PING
      PING abc
      PING a b
      ECHO abc
      ECHO
      SELECT 15
      SELECT 16
      SELECT -1
      SELECT abc
      SELECT 99999999999999
      SELECT 99999999999999999999`)).toMatchInlineSnapshot(`
        "> PING
        PONG
        > PING abc
        "abc"
        > PING a b
        (error) ERR wrong number of arguments for 'ping' command
        > ECHO abc
        "abc"
        > ECHO
        (error) ERR wrong number of arguments for 'echo' command
        > SELECT 15
        OK
        > SELECT 16
        (error) ERR DB index is out of range
        > SELECT -1
        (error) ERR DB index is out of range
        > SELECT abc
        (error) ERR value is not an integer or out of range
        > SELECT 99999999999999
        (error) ERR value is out of range, value must between -2147483648 and 2147483647
        > SELECT 99999999999999999999
        (error) ERR value is not an integer or out of range"
      `)
  })

  it("SELECT changes where keys are", () => {
    expect(run(`SET a 1
      SELECT 3
      GET a
      SET a 2
      SELECT 0
      GET a`)).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > SELECT 3
        OK
        > GET a
        (nil)
        > SET a 2
          #2 db3 StringSet key=a value=2 expireAt=null
        OK
        > SELECT 0
        OK
        > GET a
        "1""
      `)
  })

  it("QUIT closes after its reply", () => {
    const { harness } = controlHarness()
    expect(harness.run("QUIT")).toBe("+OK\r\n")
    expect(harness.connection.closing).toBe(true)
  })
})

describe("AUTH and HELLO", () => {
  it("without a password", () => {
    expect(run(`AUTH x
      AUTH default x
      AUTH nouser x
      AUTH a b c
      HELLO
      HELLO 3
      HELLO 2
      HELLO 1
      HELLO 4
      HELLO abc
      HELLO 3 foo
      HELLO 3 "a\\x00b"
      HELLO 3 AUTH a
      HELLO 3 AUTH nouser x
      HELLO 3 SETNAME "a b"
      HELLO 2 AUTH default x SETNAME conn
      CLIENT GETNAME`)).toMatchInlineSnapshot(`
        "> AUTH x
        (error) ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?
        > AUTH default x
        OK
        > AUTH nouser x
        (error) WRONGPASS invalid username-password pair or user is disabled.
        > AUTH a b c
        (error) ERR syntax error
        > HELLO
        ["server", "redis", "version", "7.4.0", "proto", (integer) 2, "id", (integer) 1, "mode", "standalone", "role", "master", "modules", []]
        > HELLO 3
        {"server", "redis", "version", "7.4.0", "proto", (integer) 3, "id", (integer) 1, "mode", "standalone", "role", "master", "modules", []}
        > HELLO 2
        ["server", "redis", "version", "7.4.0", "proto", (integer) 2, "id", (integer) 1, "mode", "standalone", "role", "master", "modules", []]
        > HELLO 1
        (error) NOPROTO unsupported protocol version
        > HELLO 4
        (error) NOPROTO unsupported protocol version
        > HELLO abc
        (error) ERR Protocol version is not an integer or out of range
        > HELLO 3 foo
        (error) ERR Syntax error in HELLO option 'foo'
        > HELLO 3 "a\\x00b"
        (error) ERR Syntax error in HELLO option 'a'
        > HELLO 3 AUTH a
        (error) ERR Syntax error in HELLO option 'AUTH'
        > HELLO 3 AUTH nouser x
        (error) WRONGPASS invalid username-password pair or user is disabled.
        > HELLO 3 SETNAME "a b"
        (error) ERR Client names cannot contain spaces, newlines or special characters.
        > HELLO 2 AUTH default x SETNAME conn
        ["server", "redis", "version", "7.4.0", "proto", (integer) 2, "id", (integer) 1, "mode", "standalone", "role", "master", "modules", []]
        > CLIENT GETNAME
        "conn""
      `)
  })

  it("with a password: only the right one lets in", () => {
    const { client, harness } = controlHarness("--requirepass", "s3cret")
    client.authenticated = false
    expect(transcript(
      `GET a
      HELLO
      AUTH wrong
      AUTH s3cre
      AUTH nouser s3cret
      HELLO 3 AUTH default wrong
      GET a
      AUTH s3cret
      GET a
      RESET
      GET a
      HELLO 3 AUTH default s3cret
      GET a`,
      { harness }
    )).toMatchInlineSnapshot(`
      "> GET a
      (error) NOAUTH Authentication required.
      > HELLO
      (error) NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time
      > AUTH wrong
      (error) WRONGPASS invalid username-password pair or user is disabled.
      > AUTH s3cre
      (error) WRONGPASS invalid username-password pair or user is disabled.
      > AUTH nouser s3cret
      (error) WRONGPASS invalid username-password pair or user is disabled.
      > HELLO 3 AUTH default wrong
      (error) WRONGPASS invalid username-password pair or user is disabled.
      > GET a
      (error) NOAUTH Authentication required.
      > AUTH s3cret
      OK
      > GET a
      (nil)
      > RESET
      RESET
      > GET a
      (error) NOAUTH Authentication required.
      > HELLO 3 AUTH default s3cret
      {"server", "redis", "version", "7.4.0", "proto", (integer) 3, "id", (integer) 1, "mode", "standalone", "role", "master", "modules", []}
      > GET a
      (null)"
    `)
  })

  it("changes of name, library and user raise the author's revision", () => {
    const { client, harness } = controlHarness()
    const revisions = ["CLIENT SETNAME n", "CLIENT SETINFO lib-name l", "HELLO 3", "AUTH default x", "RESET"].map(
      (line) => {
        harness.run(...line.split(" "))
        return client.revision
      }
    )
    expect(revisions).toEqual(revisions.map((_, i) => i + 1))
  })

  it("RESET brings everything back", () => {
    const { client, harness } = controlHarness()
    for (const line of ["HELLO 3 SETNAME n", "SELECT 4", "CLIENT NO-TOUCH on", "CLIENT NO-EVICT on"]) {
      harness.run(...line.split(" "))
    }
    expect([client.protocol, client.name, client.db, client.noTouch, client.noEvict]).toEqual([3, "n", 4, true, true])
    expect(harness.run("RESET")).toBe("+RESET\r\n")
    expect([client.protocol, client.name, client.db, client.noTouch, client.noEvict]).toEqual([2, "", 0, false, false])
  })
})
