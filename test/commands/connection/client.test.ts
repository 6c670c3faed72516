import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"
import { controlHarness } from "../server/ports.ts"

describe("CLIENT", () => {
  it("names and identifies the connection", () => {
    expect(transcript(
      `CLIENT ID
      CLIENT GETNAME
      CLIENT SETNAME abc
      CLIENT GETNAME
      CLIENT SETNAME "a b"
      CLIENT SETNAME "a\\nb"
      CLIENT SETNAME ""
      CLIENT GETNAME
      CLIENT SETINFO LIB-NAME jedis
      CLIENT SETINFO lib-ver 5.0
      CLIENT SETINFO lib-ver "5 0"
      CLIENT SETINFO foo bar
      CLIENT foo
      CLIENT
      CLIENT TRACKING on OPTIN NOLOOP
      CLIENT CACHING no
      CLIENT CACHING yes
      CLIENT TRACKINGINFO
      CLIENT GETREDIR
      CLIENT TRACKING off
      CLIENT TRACKINGINFO
      CLIENT GETREDIR
      CLIENT NO-EVICT on
      CLIENT NO-EVICT foo
      CLIENT NO-TOUCH off`,
      { harness: controlHarness().harness }
    )).toMatchInlineSnapshot(`
      "> CLIENT ID
      (integer) 1
      > CLIENT GETNAME
      (nil)
      > CLIENT SETNAME abc
      OK
      > CLIENT GETNAME
      "abc"
      > CLIENT SETNAME "a b"
      (error) ERR Client names cannot contain spaces, newlines or special characters.
      > CLIENT SETNAME "a\\nb"
      (error) ERR Client names cannot contain spaces, newlines or special characters.
      > CLIENT SETNAME ""
      OK
      > CLIENT GETNAME
      (nil)
      > CLIENT SETINFO LIB-NAME jedis
      OK
      > CLIENT SETINFO lib-ver 5.0
      OK
      > CLIENT SETINFO lib-ver "5 0"
      (error) ERR lib-ver cannot contain spaces, newlines or special characters.
      > CLIENT SETINFO foo bar
      (error) ERR Unrecognized option 'foo'
      > CLIENT foo
      (error) ERR unknown subcommand 'foo'. Try CLIENT HELP.
      > CLIENT
      (error) ERR wrong number of arguments for 'client' command
      > CLIENT TRACKING on OPTIN NOLOOP
      OK
      > CLIENT CACHING no
      (error) ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.
      > CLIENT CACHING yes
      OK
      > CLIENT TRACKINGINFO
      ["flags", ["on", "optin", "caching-yes", "noloop"], "redirect", (integer) 0, "prefixes", []]
      > CLIENT GETREDIR
      (integer) 0
      > CLIENT TRACKING off
      OK
      > CLIENT TRACKINGINFO
      ["flags", ["off"], "redirect", (integer) -1, "prefixes", []]
      > CLIENT GETREDIR
      (integer) -1
      > CLIENT NO-EVICT on
      OK
      > CLIENT NO-EVICT foo
      (error) ERR syntax error
      > CLIENT NO-TOUCH off
      OK"
    `)
  })

  it("LIST and INFO have one line per connection", () => {
    const { client, clients, harness } = controlHarness()
    const other = clients.add(7, harness.now - 5000)
    other.blocked = true
    other.outputBytes = 12
    client.libraryName = "lib"
    harness.now += 3000
    expect(harness.run("CLIENT", "LIST").split("\r\n")[1]!.split("\n")).toMatchInlineSnapshot(`
      [
        "id=1 addr=127.0.0.1:50001 laddr=127.0.0.1:6379 fd=8 name= age=3 idle=0 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 watch=0 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r cmd=client|list user=default redir=-1 resp=2 lib-name=lib lib-ver=",
        "id=7 addr=127.0.0.1:50007 laddr=127.0.0.1:6379 fd=8 name= age=8 idle=8 flags=b db=0 sub=0 psub=0 ssub=0 multi=-1 watch=0 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=1 omem=12 tot-mem=12 events=rw cmd=NULL user=default redir=-1 resp=2 lib-name= lib-ver=",
        "",
      ]
    `)
    expect(transcript(
      `CLIENT LIST TYPE master
      CLIENT LIST TYPE foo
      CLIENT LIST TYPE
      CLIENT LIST ID
      CLIENT LIST ID abc
      CLIENT LIST ID 0 99
      CLIENT LIST foo`,
      { harness }
    )).toMatchInlineSnapshot(`
      "> CLIENT LIST TYPE master
      ""
      > CLIENT LIST TYPE foo
      (error) ERR Unknown client type 'foo'
      > CLIENT LIST TYPE
      (error) ERR syntax error
      > CLIENT LIST ID
      (error) ERR syntax error
      > CLIENT LIST ID abc
      (error) ERR Invalid client ID
      > CLIENT LIST ID 0 99
      ""
      > CLIENT LIST foo
      (error) ERR syntax error"
    `)
    const ids = (reply: string): ReadonlyArray<string> => [...reply.matchAll(/\bid=(\d+)/g)].map(([, id]) => id!)
    expect(ids(harness.run("CLIENT", "LIST", "ID", "7", "1"))).toEqual(["7", "1"])
    expect(ids(harness.run("CLIENT", "LIST", "TYPE", "normal"))).toEqual(["1", "7"])
    expect(ids(harness.run("CLIENT", "INFO"))).toEqual(["1"])
  })

  it("KILL closes what fits every filter", () => {
    const { clients, harness } = controlHarness()
    const [old, young] = [clients.add(7, harness.now - 60_000), clients.add(8, harness.now - 1000)]
    expect(transcript(
      `CLIENT KILL
      CLIENT KILL foo
      CLIENT KILL ID
      CLIENT KILL ID abc
      CLIENT KILL ID 0
      CLIENT KILL ID 99
      CLIENT KILL ID 7 TYPE master
      CLIENT KILL TYPE foo
      CLIENT KILL USER nouser
      CLIENT KILL SKIPME foo
      CLIENT KILL ID 7 SKIPME
      CLIENT KILL MAXAGE 0
      CLIENT KILL MAXAGE abc
      CLIENT KILL foo bar
      CLIENT KILL MAXAGE 30`,
      { harness }
    )).toMatchInlineSnapshot(`
      "> CLIENT KILL
      (error) ERR wrong number of arguments for 'client|kill' command
      > CLIENT KILL foo
      (error) ERR No such client
      > CLIENT KILL ID
      (error) ERR No such client
      > CLIENT KILL ID abc
      (error) ERR client-id should be greater than 0
      > CLIENT KILL ID 0
      (error) ERR client-id should be greater than 0
      > CLIENT KILL ID 99
      (integer) 0
      > CLIENT KILL ID 7 TYPE master
      (integer) 0
      > CLIENT KILL TYPE foo
      (error) ERR Unknown client type 'foo'
      > CLIENT KILL USER nouser
      (error) ERR No such user 'nouser'
      > CLIENT KILL SKIPME foo
      (error) ERR syntax error
      > CLIENT KILL ID 7 SKIPME
      (error) ERR syntax error
      > CLIENT KILL MAXAGE 0
      (error) ERR maxage should be greater than 0
      > CLIENT KILL MAXAGE abc
      (error) ERR maxage is not an integer or out of range
      > CLIENT KILL foo bar
      (error) ERR syntax error
      > CLIENT KILL MAXAGE 30
      (integer) 1"
    `)
    expect([old.killed, young.killed]).toEqual([true, false])
    expect(harness.run("CLIENT", "KILL", young.client.address)).toBe("+OK\r\n")
    expect(young.killed).toBe(true)
    expect(harness.connection.closing).toBe(false)
    expect(harness.run("CLIENT", "KILL", "ID", "1", "SKIPME", "no")).toBe(":1\r\n")
    expect([harness.connection.closing, harness.connection.killed]).toEqual([true, false])
  })

  it("REPLY sets the mode and is silent but for ON", () => {
    const { harness } = controlHarness()
    const replies = ["OFF", "SKIP", "ON", "foo"].map((mode) => [
      harness.run("CLIENT", "REPLY", mode),
      harness.connection.replyMode
    ])
    expect(replies).toEqual([["", "off"], ["", "skip"], ["+OK\r\n", "on"], ["-ERR syntax error\r\n", "on"]])
  })

  it("PAUSE, UNPAUSE and UNBLOCK", () => {
    const { clients, harness } = controlHarness()
    expect(transcript(
      `CLIENT PAUSE abc
      CLIENT PAUSE -1
      CLIENT PAUSE 0 foo
      CLIENT PAUSE 0 all x
      CLIENT UNBLOCK 1
      CLIENT UNBLOCK a
      CLIENT UNBLOCK 1 foo
      CLIENT PAUSE 500 write`,
      { harness }
    )).toMatchInlineSnapshot(`
      "> CLIENT PAUSE abc
      (error) ERR timeout is not an integer or out of range
      > CLIENT PAUSE -1
      (error) ERR timeout is negative
      > CLIENT PAUSE 0 foo
      (error) ERR CLIENT PAUSE mode must be WRITE or ALL
      > CLIENT PAUSE 0 all x
      (error) ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP.
      > CLIENT UNBLOCK 1
      (integer) 0
      > CLIENT UNBLOCK a
      (error) ERR value is not an integer or out of range
      > CLIENT UNBLOCK 1 foo
      (error) ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR
      > CLIENT PAUSE 500 write
      OK"
    `)
    expect(clients.paused).toEqual([harness.now + 500, "write"])
    harness.run("CLIENT", "UNPAUSE")
    expect(clients.paused).toBeUndefined()
  })
})
