import { describe, expect, it } from "vitest"
import { script, script3 } from "../sorted-set/support.ts"

const cities = `GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
                GEOADD Sicily 12.758489 38.788135 edge1 17.241510 38.788135 edge2`

/** The transcript of a script about these cities, without their being added. */
const sicily = (text: string, run = script): string => run(`${cities}\n${text}`).split("\n").slice(6).join("\n")

describe("GEOSEARCH", () => {
  it("finds members inside of circles and boxes", () => {
    expect(sicily(`
      GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 200 km ASC
      GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX 400 400 km ASC WITHCOORD WITHDIST
      GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 124.2743 MI DESC WITHHASH
      GEOSEARCH Sicily BYRADIUS 0 m FROMMEMBER Palermo WITHDIST
      GEOSEARCH Sicily FROMLONLAT -90 0 BYRADIUS 100 km
      GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX 1 900 km
    `)).toMatchInlineSnapshot(`
      "> GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 200 km ASC
      ["Catania", "Palermo"]
      > GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX 400 400 km ASC WITHCOORD WITHDIST
      [["Catania", "56.4413", ["15.08726745843887329", "37.50266842333162032"]], ["Palermo", "190.4424", ["13.36138933897018433", "38.11555639549629859"]], ["edge2", "279.7403", ["17.24151045083999634", "38.78813451624225195"]], ["edge1", "279.7405", ["12.7584877610206604", "38.78813451624225195"]]]
      > GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 124.2743 MI DESC WITHHASH
      [["Catania", (integer) 3479447370796909], ["edge1", (integer) 3479273021651468], ["Palermo", (integer) 3479099956230698]]
      > GEOSEARCH Sicily BYRADIUS 0 m FROMMEMBER Palermo WITHDIST
      [["Palermo", "0.0000"]]
      > GEOSEARCH Sicily FROMLONLAT -90 0 BYRADIUS 100 km
      []
      > GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX 1 900 km
      []"
    `)
  })

  it("answers the nearest where not all are wanted, and any where that will do", () => {
    expect(sicily(`
      GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 500 km COUNT 2 WITHDIST
      GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 500 km COUNT 2 DESC WITHDIST
      GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 500 km COUNT 2 ANY
      GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 500 km COUNT 99
    `)).toMatchInlineSnapshot(`
      "> GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 500 km COUNT 2 WITHDIST
      [["Catania", "56.4413"], ["Palermo", "190.4424"]]
      > GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 500 km COUNT 2 DESC WITHDIST
      [["edge1", "279.7405"], ["edge2", "279.7403"]]
      > GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 500 km COUNT 2 ANY
      ["Palermo", "edge1"]
      > GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 500 km COUNT 99
      ["Catania", "Palermo", "edge2", "edge1"]"
    `)
  })

  it("answers coordinates as doubles in RESP3, distances as text", () => {
    expect(sicily(
      `
      GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 100 km WITHDIST WITHHASH WITHCOORD
      GEOSEARCH nokey FROMMEMBER x BYRADIUS 100 km
    `,
      script3
    )).toMatchInlineSnapshot(`
      "> GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 100 km WITHDIST WITHHASH WITHCOORD
      [["Catania", "56.4413", (integer) 3479447370796909, [(double) 15.08726745843887329, (double) 37.50266842333162032]]]
      > GEOSEARCH nokey FROMMEMBER x BYRADIUS 100 km
      []"
    `)
  })

  it("refuses what it cannot read", () => {
    expect(sicily(`
      GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS x km
      GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS -1 km
      GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 1 parsec
      GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX x 1 km
      GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX 1 x km
      GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX 1 -1 km
      GEOSEARCH Sicily FROMLONLAT 15 91 BYBOX 1 1 km
      GEOSEARCH Sicily FROMMEMBER Roma BYBOX 1 1 km
      GEOSEARCH Sicily FROMMEMBER Palermo FROMLONLAT 1 1 BYBOX 1 1 km
      GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 km BYBOX 1 1 km
      GEOSEARCH Sicily BYRADIUS 1 km COUNT 1 ANY
      GeoSearch Sicily FROMMEMBER Palermo COUNT 1 ANY ASC
      GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 km COUNT 0
      GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 km COUNT x
      GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 km COUNT
      GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 km ANY
      GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 km STOREDIST
      GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 km STORE x
      SET text x
      GEOSEARCH text BOGUS BOGUS BOGUS BOGUS BOGUS BOGUS
    `)).toMatchInlineSnapshot(`
      "> GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS x km
      (error) ERR need numeric radius
      > GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS -1 km
      (error) ERR radius cannot be negative
      > GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 1 parsec
      (error) ERR unsupported unit provided. please use M, KM, FT, MI
      > GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX x 1 km
      (error) ERR need numeric width
      > GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX 1 x km
      (error) ERR need numeric height
      > GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX 1 -1 km
      (error) ERR height or width cannot be negative
      > GEOSEARCH Sicily FROMLONLAT 15 91 BYBOX 1 1 km
      (error) ERR invalid longitude,latitude pair 15.000000,91.000000
      > GEOSEARCH Sicily FROMMEMBER Roma BYBOX 1 1 km
      (error) ERR could not decode requested zset member
      > GEOSEARCH Sicily FROMMEMBER Palermo FROMLONLAT 1 1 BYBOX 1 1 km
      (error) ERR syntax error
      > GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 km BYBOX 1 1 km
      (error) ERR syntax error
      > GEOSEARCH Sicily BYRADIUS 1 km COUNT 1 ANY
      (error) ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH
      > GeoSearch Sicily FROMMEMBER Palermo COUNT 1 ANY ASC
      (error) ERR exactly one of BYRADIUS and BYBOX can be specified for GeoSearch
      > GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 km COUNT 0
      (error) ERR COUNT must be > 0
      > GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 km COUNT x
      (error) ERR value is not an integer or out of range
      > GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 km COUNT
      (error) ERR syntax error
      > GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 km ANY
      (error) ERR the ANY argument requires COUNT argument
      > GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 km STOREDIST
      (error) ERR syntax error
      > GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 km STORE x
      (error) ERR syntax error
      > SET text x
        #3 StringSet key=text value=x expireAt=null
      OK
      > GEOSEARCH text BOGUS BOGUS BOGUS BOGUS BOGUS BOGUS
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})

describe("GEOSEARCHSTORE", () => {
  it("keeps places or distances in the place of whatever was there", () => {
    expect(sicily(`
      SET near text
      GEOSEARCHSTORE near Sicily FROMLONLAT 15 37 BYRADIUS 200 km
      GEOSEARCHSTORE near Sicily FROMLONLAT 15 37 BYBOX 400 400 km ASC COUNT 3 STOREDIST
      ZRANGE near 0 -1 WITHSCORES
      GEOSEARCHSTORE Sicily Sicily FROMMEMBER Palermo BYRADIUS 100 km
      GEOSEARCHSTORE near Sicily FROMLONLAT 0 0 BYRADIUS 1 km
      EXISTS near
      GEOSEARCHSTORE Sicily nokey FROMMEMBER x BYRADIUS 1 km
      GEOSEARCHSTORE Sicily nokey FROMMEMBER x BYRADIUS 1 km
      EXISTS Sicily
    `)).toMatchInlineSnapshot(`
      "> SET near text
        #3 StringSet key=near value=text expireAt=null
      OK
      > GEOSEARCHSTORE near Sicily FROMLONLAT 15 37 BYRADIUS 200 km
        #4 KeyDeleted key=near
        #4 SortedSetMembersScored key=near members=[Palermo Catania] scores=[3479099956230698 3479447370796909]
      (integer) 2
      > GEOSEARCHSTORE near Sicily FROMLONLAT 15 37 BYBOX 400 400 km ASC COUNT 3 STOREDIST
        #5 KeyDeleted key=near
        #5 SortedSetMembersScored key=near members=[Catania Palermo edge2] scores=[56.4412578701582 190.44242984775784 279.7403417843143]
      (integer) 3
      > ZRANGE near 0 -1 WITHSCORES
      ["Catania", "56.4412578701582", "Palermo", "190.44242984775784", "edge2", "279.7403417843143"]
      > GEOSEARCHSTORE Sicily Sicily FROMMEMBER Palermo BYRADIUS 100 km
        #6 KeyDeleted key=Sicily
        #6 SortedSetMembersScored key=Sicily members=[Palermo edge1] scores=[3479099956230698 3479273021651468]
      (integer) 2
      > GEOSEARCHSTORE near Sicily FROMLONLAT 0 0 BYRADIUS 1 km
        #7 KeyDeleted key=near
      (integer) 0
      > EXISTS near
      (integer) 0
      > GEOSEARCHSTORE Sicily nokey FROMMEMBER x BYRADIUS 1 km
        #8 KeyDeleted key=Sicily
      (integer) 0
      > GEOSEARCHSTORE Sicily nokey FROMMEMBER x BYRADIUS 1 km
      (integer) 0
      > EXISTS Sicily
      (integer) 0"
    `)
  })

  it("refuses what only answers can show", () => {
    expect(sicily(`
      GEOSEARCHSTORE near Sicily FROMLONLAT 15 37 BYRADIUS 200 km WITHDIST
      GEOSEARCHSTORE near Sicily FROMLONLAT 15 37 BYRADIUS 200 km STORE
      SET text x
      GEOSEARCHSTORE near text FROMLONLAT 15 37 BYRADIUS 200 km
    `)).toMatchInlineSnapshot(`
      "> GEOSEARCHSTORE near Sicily FROMLONLAT 15 37 BYRADIUS 200 km WITHDIST
      (error) ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options
      > GEOSEARCHSTORE near Sicily FROMLONLAT 15 37 BYRADIUS 200 km STORE
      (error) ERR syntax error
      > SET text x
        #3 StringSet key=text value=x expireAt=null
      OK
      > GEOSEARCHSTORE near text FROMLONLAT 15 37 BYRADIUS 200 km
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})

describe("GEORADIUS and its kin", () => {
  it("answer as GEOSEARCH does", () => {
    expect(sicily(`
      GEORADIUS Sicily 15 37 200 km WITHDIST WITHCOORD ASC
      GEORADIUS_RO Sicily 15 37 200 km WITHHASH COUNT 1
      GEORADIUSBYMEMBER Sicily Palermo 100 km
      GEORADIUSBYMEMBER_RO Sicily Palermo 1e3 km DESC
      GEORADIUS nokey 15 37 200 km
      GEORADIUSBYMEMBER nokey x what ever
    `)).toMatchInlineSnapshot(`
      "> GEORADIUS Sicily 15 37 200 km WITHDIST WITHCOORD ASC
      [["Catania", "56.4413", ["15.08726745843887329", "37.50266842333162032"]], ["Palermo", "190.4424", ["13.36138933897018433", "38.11555639549629859"]]]
      > GEORADIUS_RO Sicily 15 37 200 km WITHHASH COUNT 1
      [["Catania", (integer) 3479447370796909]]
      > GEORADIUSBYMEMBER Sicily Palermo 100 km
      ["Palermo", "edge1"]
      > GEORADIUSBYMEMBER_RO Sicily Palermo 1e3 km DESC
      ["edge2", "Catania", "edge1", "Palermo"]
      > GEORADIUS nokey 15 37 200 km
      []
      > GEORADIUSBYMEMBER nokey x what ever
      []"
    `)
  })

  it("keep places or distances; the last STORE counts", () => {
    expect(sicily(`
      GEORADIUS Sicily 15 37 200 km STORE near
      GEORADIUSBYMEMBER Sicily Palermo 100 km STORE other STOREDIST near
      EXISTS other
      GEORADIUSBYMEMBER Sicily Palermo 100 km STOREDIST near STORE Sicily COUNT 1
      ZRANGE Sicily 0 -1
      GEORADIUS nokey 15 37 200 km STORE near
      GEORADIUS Sicily 100 37 200 km STORE Sicily
    `)).toMatchInlineSnapshot(`
      "> GEORADIUS Sicily 15 37 200 km STORE near
        #3 SortedSetMembersScored key=near members=[Palermo Catania] scores=[3479099956230698 3479447370796909]
      (integer) 2
      > GEORADIUSBYMEMBER Sicily Palermo 100 km STORE other STOREDIST near
        #4 KeyDeleted key=near
        #4 SortedSetMembersScored key=near members=[Palermo edge1] scores=[0 91.40065860581427]
      (integer) 2
      > EXISTS other
      (integer) 0
      > GEORADIUSBYMEMBER Sicily Palermo 100 km STOREDIST near STORE Sicily COUNT 1
        #5 KeyDeleted key=Sicily
        #5 SortedSetMembersScored key=Sicily members=[Palermo] scores=[3479099956230698]
      (integer) 1
      > ZRANGE Sicily 0 -1
      ["Palermo"]
      > GEORADIUS nokey 15 37 200 km STORE near
        #6 KeyDeleted key=near
      (integer) 0
      > GEORADIUS Sicily 100 37 200 km STORE Sicily
        #7 KeyDeleted key=Sicily
      (integer) 0"
    `)
  })

  it("refuse", () => {
    expect(sicily(`
      GEORADIUS Sicily 15 37 200 km STORE near WITHDIST
      GEORADIUS_RO Sicily 15 37 200 km STORE near
      GEORADIUSBYMEMBER_RO Sicily Palermo 200 km STOREDIST near
      GEORADIUSBYMEMBER Sicily Roma 200 km
      GEORADIUSBYMEMBER Sicily Palermo x km
      GEORADIUSBYMEMBER Sicily Palermo 1 x
      GEORADIUS Sicily 15 87 200 km
      GEORADIUS Sicily 15 37 200 km FROMMEMBER x
      GEORADIUS Sicily 15 37 200 km ANY
      SET text x
      GEORADIUS text x x x x
    `)).toMatchInlineSnapshot(`
      "> GEORADIUS Sicily 15 37 200 km STORE near WITHDIST
      (error) ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options
      > GEORADIUS_RO Sicily 15 37 200 km STORE near
      (error) ERR syntax error
      > GEORADIUSBYMEMBER_RO Sicily Palermo 200 km STOREDIST near
      (error) ERR syntax error
      > GEORADIUSBYMEMBER Sicily Roma 200 km
      (error) ERR could not decode requested zset member
      > GEORADIUSBYMEMBER Sicily Palermo x km
      (error) ERR need numeric radius
      > GEORADIUSBYMEMBER Sicily Palermo 1 x
      (error) ERR unsupported unit provided. please use M, KM, FT, MI
      > GEORADIUS Sicily 15 87 200 km
      (error) ERR invalid longitude,latitude pair 15.000000,87.000000
      > GEORADIUS Sicily 15 37 200 km FROMMEMBER x
      (error) ERR syntax error
      > GEORADIUS Sicily 15 37 200 km ANY
      (error) ERR the ANY argument requires COUNT argument
      > SET text x
        #3 StringSet key=text value=x expireAt=null
      OK
      > GEORADIUS text x x x x
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})
