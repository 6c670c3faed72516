import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"

describe("XADD of producers", () => {
  it("adds nothing twice under one name", () => {
    expect(transcript(`
      XADD s IDMP p1 payment-abc * amount 100 currency USD
      +1
      XADD s IDMP p1 payment-abc * amount 200 currency EUR
      XADD s IDMP p2 payment-abc * amount 100
      XRANGE s - +
      XADD none NOMKSTREAM IDMP p1 a * f v
      XADD s NOMKSTREAM MAXLEN ~ 100 IDMP p1 payment-abc KEEPREF * f v
    `)).toMatchInlineSnapshot(`
      "> XADD s IDMP p1 payment-abc * amount 100 currency USD
        #1 StreamEntryAdded key=s id=1700000000000-0 pairs=[amount 100 currency USD]
        #1 StreamConfigured key=s durationSeconds=100 maxSize=100
        #1 StreamProducerNoted key=s producer=p1 iid=payment-abc id=1700000000000-0 time=1700000000000
      "1700000000000-0"
      > +1
      > XADD s IDMP p1 payment-abc * amount 200 currency EUR
        #2 StreamDuplicateRefused key=s
      "1700000000000-0"
      > XADD s IDMP p2 payment-abc * amount 100
        #3 StreamEntryAdded key=s id=1700000000001-0 pairs=[amount 100]
        #3 StreamProducerNoted key=s producer=p2 iid=payment-abc id=1700000000001-0 time=1700000000001
      "1700000000001-0"
      > XRANGE s - +
      [["1700000000000-0", ["amount", "100", "currency", "USD"]], ["1700000000001-0", ["amount", "100"]]]
      > XADD none NOMKSTREAM IDMP p1 a * f v
      (nil)
      > XADD s NOMKSTREAM MAXLEN ~ 100 IDMP p1 payment-abc KEEPREF * f v
        #4 StreamDuplicateRefused key=s
      "1700000000000-0""
    `)
  })

  it("makes names of fields and values, in whatever order they come", () => {
    expect(
      transcript(`
      XADD s IDMPAUTO p1 * amount 100 currency USD
      XADD s IDMPAUTO p1 * currency USD amount 100
      XADD s IDMPAUTO p2 * amount 100 currency USD
      XADD s IDMPAUTO p1 * amount 200 currency USD
      XADD s IDMPAUTO p1 * amount1 00 currency USD
      XLEN s
    `).replaceAll(/iid=\S+/g, "iid=…")
    ).toMatchInlineSnapshot(`
      "> XADD s IDMPAUTO p1 * amount 100 currency USD
        #1 StreamEntryAdded key=s id=1700000000000-0 pairs=[amount 100 currency USD]
        #1 StreamConfigured key=s durationSeconds=100 maxSize=100
        #1 StreamProducerNoted key=s producer=p1 iid=… id=1700000000000-0 time=1700000000000
      "1700000000000-0"
      > XADD s IDMPAUTO p1 * currency USD amount 100
        #2 StreamDuplicateRefused key=s
      "1700000000000-0"
      > XADD s IDMPAUTO p2 * amount 100 currency USD
        #3 StreamEntryAdded key=s id=1700000000000-1 pairs=[amount 100 currency USD]
        #3 StreamProducerNoted key=s producer=p2 iid=… id=1700000000000-1 time=1700000000000
      "1700000000000-1"
      > XADD s IDMPAUTO p1 * amount 200 currency USD
        #4 StreamEntryAdded key=s id=1700000000000-2 pairs=[amount 200 currency USD]
        #4 StreamProducerNoted key=s producer=p1 iid=… id=1700000000000-2 time=1700000000000
      "1700000000000-2"
      > XADD s IDMPAUTO p1 * amount1 00 currency USD
        #5 StreamEntryAdded key=s id=1700000000000-3 pairs=[amount1 00 currency USD]
        #5 StreamProducerNoted key=s producer=p1 iid=… id=1700000000000-3 time=1700000000000
      "1700000000000-3"
      > XLEN s
      (integer) 4"
    `)
  })

  it("forgets names after their time, and the oldest of a producer that has too many", () => {
    expect(transcript(`
      XADD s IDMP p init * f v
      XCFGSET s IDMP-MAXSIZE 2 IDMP-DURATION 1
      XADD s IDMP p a * f v
      XADD s IDMP p b * f v
      XADD s IDMP p c * f v
      XADD s IDMP p b * f v
      XADD s IDMP p a * f v
      +999
      XADD s IDMP p a * f v
      +1
      XADD s IDMP p a * f v
    `)).toMatchInlineSnapshot(`
      "> XADD s IDMP p init * f v
        #1 StreamEntryAdded key=s id=1700000000000-0 pairs=[f v]
        #1 StreamConfigured key=s durationSeconds=100 maxSize=100
        #1 StreamProducerNoted key=s producer=p iid=init id=1700000000000-0 time=1700000000000
      "1700000000000-0"
      > XCFGSET s IDMP-MAXSIZE 2 IDMP-DURATION 1
        #2 StreamConfigured key=s durationSeconds=1 maxSize=2
      OK
      > XADD s IDMP p a * f v
        #3 StreamEntryAdded key=s id=1700000000000-1 pairs=[f v]
        #3 StreamProducerNoted key=s producer=p iid=a id=1700000000000-1 time=1700000000000
      "1700000000000-1"
      > XADD s IDMP p b * f v
        #4 StreamEntryAdded key=s id=1700000000000-2 pairs=[f v]
        #4 StreamProducerNoted key=s producer=p iid=b id=1700000000000-2 time=1700000000000
      "1700000000000-2"
      > XADD s IDMP p c * f v
        #5 StreamEntryAdded key=s id=1700000000000-3 pairs=[f v]
        #5 StreamProducerNoted key=s producer=p iid=c id=1700000000000-3 time=1700000000000
      "1700000000000-3"
      > XADD s IDMP p b * f v
        #6 StreamDuplicateRefused key=s
      "1700000000000-2"
      > XADD s IDMP p a * f v
        #7 StreamEntryAdded key=s id=1700000000000-4 pairs=[f v]
        #7 StreamProducerNoted key=s producer=p iid=a id=1700000000000-4 time=1700000000000
      "1700000000000-4"
      > +999
      > XADD s IDMP p a * f v
        #8 StreamDuplicateRefused key=s
      "1700000000000-4"
      > +1
      > XADD s IDMP p a * f v
        #9 StreamEntryAdded key=s id=1700000001000-0 pairs=[f v]
        #9 StreamProducerNoted key=s producer=p iid=a id=1700000001000-0 time=1700000001000
      "1700000001000-0""
    `)
  })

  it("refuses names that are none, and ids that are given", () => {
    expect(transcript(`
      XADD s IDMP p1 * f v
      XADD s IDMP p1 iid1 1-1 f v
      XADD s IDMPAUTO p1 1-1 f v
      XADD s IDMP p1 iid1 IDMP p2 iid2 * f v
      XADD s IDMPAUTO p1 IDMP p2 iid2 * f v
      XADD s IDMP p1 iid1 IDMPAUTO p2 * f v
      XADD s IDMP "" iid1 * f v
      XADD s IDMP p1 "" * f v
      XADD s IDMPAUTO "" * f v
      EXISTS s
    `)).toMatchInlineSnapshot(`
      "> XADD s IDMP p1 * f v
      (error) ERR Invalid stream ID specified as stream command argument
      > XADD s IDMP p1 iid1 1-1 f v
      (error) ERR IDMP/IDMPAUTO can be used only with auto-generated IDs
      > XADD s IDMPAUTO p1 1-1 f v
      (error) ERR IDMP/IDMPAUTO can be used only with auto-generated IDs
      > XADD s IDMP p1 iid1 IDMP p2 iid2 * f v
      (error) ERR IDMP/IDMPAUTO specified multiple times
      > XADD s IDMPAUTO p1 IDMP p2 iid2 * f v
      (error) ERR IDMP/IDMPAUTO specified multiple times
      > XADD s IDMP p1 iid1 IDMPAUTO p2 * f v
      (error) ERR IDMP/IDMPAUTO specified multiple times
      > XADD s IDMP "" iid1 * f v
      (error) ERR IDMP requires a non-empty producer ID
      > XADD s IDMP p1 "" * f v
      (error) ERR IDMP requires a non-empty idempotent ID
      > XADD s IDMPAUTO "" * f v
      (error) ERR IDMPAUTO requires a non-empty producer ID
      > EXISTS s
      (integer) 0"
    `)
  })
})
