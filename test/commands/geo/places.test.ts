import { describe, expect, it } from "vitest"
import { script, script3 } from "../sorted-set/support.ts"

describe("GEOADD", () => {
  it("records scores, tells how many members are new, and changes places", () => {
    expect(script(`GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
                   GEOADD Sicily 13.361389 38.115556 Palermo
                   GEOADD Sicily 13.5 37.5 Palermo
                   GEOADD Sicily CH 13.6 37.5 Palermo 13 37 Agrigento
                   GEOADD Sicily NX 1 1 Palermo 14 37 Gela
                   GEOADD Sicily xx ch 14.1 37 Gela 2 2 Roma
                   GEOADD Sicily 1 1 twice 2 2 twice
                   ZRANGE Sicily 0 -1 WITHSCORES
                   TYPE Sicily`)).toMatchInlineSnapshot(`
                     "> GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
                       #1 SortedSetMembersScored key=Sicily members=[Palermo Catania] scores=[3479099956230698 3479447370796909]
                     (integer) 2
                     > GEOADD Sicily 13.361389 38.115556 Palermo
                     (integer) 0
                     > GEOADD Sicily 13.5 37.5 Palermo
                       #2 SortedSetMembersScored key=Sicily members=[Palermo] scores=[3479032720861564]
                     (integer) 0
                     > GEOADD Sicily CH 13.6 37.5 Palermo 13 37 Agrigento
                       #3 SortedSetMembersScored key=Sicily members=[Palermo Agrigento] scores=[3479034339986302 3476058495541678]
                     (integer) 2
                     > GEOADD Sicily NX 1 1 Palermo 14 37 Gela
                       #4 SortedSetMembersScored key=Sicily members=[Gela] scores=[3476101302610854]
                     (integer) 1
                     > GEOADD Sicily xx ch 14.1 37 Gela 2 2 Roma
                       #5 SortedSetMembersScored key=Sicily members=[Gela] scores=[3476467993960876]
                     (integer) 1
                     > GEOADD Sicily 1 1 twice 2 2 twice
                       #6 SortedSetMembersScored key=Sicily members=[twice] scores=[3378191666521995]
                     (integer) 1
                     > ZRANGE Sicily 0 -1 WITHSCORES
                     ["twice", "3378191666521995", "Agrigento", "3476058495541678", "Gela", "3476467993960876", "Palermo", "3479034339986302", "Catania", "3479447370796909"]
                     > TYPE Sicily
                     zset"
                   `)
  })

  it("takes the ends of the plane", () => {
    expect(script(`GEOADD k 180 85.05112878 ne -180 -85.05112878 sw 180 -85.05112878 se -180 85.05112878 nw
                   ZRANGE k 0 -1 WITHSCORES
                   GEOPOS k ne sw se nw`)).toMatchInlineSnapshot(`
                     "> GEOADD k 180 85.05112878 ne -180 -85.05112878 sw 180 -85.05112878 se -180 85.05112878 nw
                       #1 SortedSetMembersScored key=k members=[ne sw se nw] scores=[13510798882111488 0 9007199254740992 4503599627370496]
                     (integer) 4
                     > ZRANGE k 0 -1 WITHSCORES
                     ["sw", "0", "nw", "4503599627370496", "se", "9007199254740992", "ne", "13510798882111488"]
                     > GEOPOS k ne sw se nw
                     [["180", "85.0511287799999991"], ["-179.99999731779098511", "-85.05112751263942528"], ["180", "-85.05112751263942528"], ["-179.99999731779098511", "85.0511287799999991"]]"
                   `)
  })

  it("refuses what is no place, and options that do not go together, before it looks at the key", () => {
    expect(script(`SET text x
                   GEOADD text 1 1 m
                   GEOADD text 181 1 m
                   GEOADD k 1 85.06 m
                   GEOADD k 1 2 m -180.0000001 0 n
                   GEOADD k 1e22 inf m
                   GEOADD k 0.0078125 -90.0078125 m
                   GEOADD k x 1 m
                   GEOADD k 1 nan m
                   GEOADD k NX XX 1 1 m
                   GEOADD k NX CH NX
                   GEOADD k 1 1 m 2 2
                   GEOADD k 1 1
                   EXISTS k`)).toMatchInlineSnapshot(`
                     "> SET text x
                       #1 StringSet key=text value=x expireAt=null
                     OK
                     > GEOADD text 1 1 m
                     (error) WRONGTYPE Operation against a key holding the wrong kind of value
                     > GEOADD text 181 1 m
                     (error) ERR invalid longitude,latitude pair 181.000000,1.000000
                     > GEOADD k 1 85.06 m
                     (error) ERR invalid longitude,latitude pair 1.000000,85.060000
                     > GEOADD k 1 2 m -180.0000001 0 n
                     (error) ERR invalid longitude,latitude pair -180.000000,0.000000
                     > GEOADD k 1e22 inf m
                     (error) ERR invalid longitude,latitude pair 10000000000000000000000.000000,inf
                     > GEOADD k 0.0078125 -90.0078125 m
                     (error) ERR invalid longitude,latitude pair 0.007812,-90.007812
                     > GEOADD k x 1 m
                     (error) ERR value is not a valid float
                     > GEOADD k 1 nan m
                     (error) ERR value is not a valid float
                     > GEOADD k NX XX 1 1 m
                     (error) ERR syntax error
                     > GEOADD k NX CH NX
                     (error) ERR syntax error
                     > GEOADD k 1 1 m 2 2
                     (error) ERR syntax error
                     > GEOADD k 1 1
                     (error) ERR wrong number of arguments for 'geoadd' command
                     > EXISTS k
                     (integer) 0"
                   `)
  })
})

describe("GEOPOS, GEOHASH and GEODIST", () => {
  const cities = "GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania"

  it("answer places, letters and distances", () => {
    expect(script(`${cities}
                   GEOPOS Sicily Palermo nobody Catania
                   GEOHASH Sicily Palermo nobody Catania
                   GEODIST Sicily Palermo Catania
                   GEODIST Sicily Palermo Catania km
                   GEODIST Sicily Palermo Catania FT
                   GEODIST Sicily Palermo Catania mi
                   GEODIST Sicily Palermo Palermo
                   GEODIST Sicily Palermo nobody
                   GEOPOS Sicily
                   GEOHASH Sicily`)).toMatchInlineSnapshot(`
                     "> GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
                       #1 SortedSetMembersScored key=Sicily members=[Palermo Catania] scores=[3479099956230698 3479447370796909]
                     (integer) 2
                     > GEOPOS Sicily Palermo nobody Catania
                     [["13.36138933897018433", "38.11555639549629859"], (nil array), ["15.08726745843887329", "37.50266842333162032"]]
                     > GEOHASH Sicily Palermo nobody Catania
                     ["sqc8b49rny0", (nil), "sqdtr74hyu0"]
                     > GEODIST Sicily Palermo Catania
                     "166274.1516"
                     > GEODIST Sicily Palermo Catania km
                     "166.2742"
                     > GEODIST Sicily Palermo Catania FT
                     "545518.8700"
                     > GEODIST Sicily Palermo Catania mi
                     "103.3182"
                     > GEODIST Sicily Palermo Palermo
                     "0.0000"
                     > GEODIST Sicily Palermo nobody
                     (nil)
                     > GEOPOS Sicily
                     []
                     > GEOHASH Sicily
                     []"
                   `)
  })

  it("answer the same of absent keys as of absent members", () => {
    expect(script(`GEOPOS k a b
                   GEOHASH k a
                   GEODIST k a b`)).toMatchInlineSnapshot(`
                     "> GEOPOS k a b
                     [(nil array), (nil array)]
                     > GEOHASH k a
                     [(nil)]
                     > GEODIST k a b
                     (nil)"
                   `)
    expect(script3(`GEOPOS k a b
                    GEOHASH k a
                    GEODIST k a b`)).toMatchInlineSnapshot(`
                      "> GEOPOS k a b
                      [(null), (null)]
                      > GEOHASH k a
                      [(null)]
                      > GEODIST k a b
                      (null)"
                    `)
  })

  it("answer doubles in RESP3", () => {
    expect(script3(`${cities}
                    GEOPOS Sicily Palermo
                    GEODIST Sicily Palermo Catania`)).toMatchInlineSnapshot(`
                      "> GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
                        #1 SortedSetMembersScored key=Sicily members=[Palermo Catania] scores=[3479099956230698 3479447370796909]
                      (integer) 2
                      > GEOPOS Sicily Palermo
                      [[(double) 13.36138933897018433, (double) 38.11555639549629859]]
                      > GEODIST Sicily Palermo Catania
                      "166274.1516""
                    `)
  })

  it("refuse other types, unknown units and too many words", () => {
    expect(script(`SET text x
                   GEOPOS text a
                   GEOHASH text a
                   GEODIST text a b
                   GEODIST text a b yd
                   GEODIST text a b km x`)).toMatchInlineSnapshot(`
                     "> SET text x
                       #1 StringSet key=text value=x expireAt=null
                     OK
                     > GEOPOS text a
                     (error) WRONGTYPE Operation against a key holding the wrong kind of value
                     > GEOHASH text a
                     (error) WRONGTYPE Operation against a key holding the wrong kind of value
                     > GEODIST text a b
                     (error) WRONGTYPE Operation against a key holding the wrong kind of value
                     > GEODIST text a b yd
                     (error) ERR unsupported unit provided. please use M, KM, FT, MI
                     > GEODIST text a b km x
                     (error) ERR syntax error"
                   `)
  })

  it("read any sorted set, and see no dead key", () => {
    expect(script(`ZADD k 3479099956230698 a 0 b 1.5 c -1 d inf e
                   GEOPOS k a b c d e
                   PEXPIRE k 10
                   +20
                   GEOPOS k a
                   GEOADD k 1 1 m`)).toMatchInlineSnapshot(`
                     "> ZADD k 3479099956230698 a 0 b 1.5 c -1 d inf e
                       #1 SortedSetMembersScored key=k members=[a b c d e] scores=[3479099956230698 0 1.5 -1 Infinity]
                     (integer) 5
                     > GEOPOS k a b c d e
                     [["13.36138933897018433", "38.11555639549629859"], ["-179.99999731779098511", "-85.05112751263942528"], ["-179.99999731779098511", "-85.05112497791824921"], ["180", "85.0511287799999991"], ["-179.99999731779098511", "-85.05112751263942528"]]
                     > PEXPIRE k 10
                       #2 KeyExpirySet key=k expireAt=1700000000010
                     (integer) 1
                     > +20
                     > GEOPOS k a
                       #3 by expire KeyExpired key=k
                     [(nil array)]
                     > GEOADD k 1 1 m
                       #4 SortedSetMembersScored key=k members=[m] scores=[3377822707026402]
                     (integer) 1"
                   `)
  })
})
