import { describe, expect, it } from "vitest"
import { parseMoment, printMoment } from "../../src/history/moment.ts"

const time = (text: string): number | undefined => {
  const moment = parseMoment(text)
  return moment?.kind === "time" ? moment.time : undefined
}

describe("moments", () => {
  it("are sequences, Unix milliseconds or ISO 8601", () => {
    expect(parseMoment("57")).toEqual({ kind: "sequence", sequence: 57 })
    expect(parseMoment("0")).toEqual({ kind: "sequence", sequence: 0 })
    expect(time("@1763848283500")).toBe(1763848283500)
    expect(time("@2026-11-22T21:51:23.5Z")).toBe(Date.parse("2026-11-22T21:51:23.500Z"))
    expect(time("@2026-11-22T21:51:23.123999Z")).toBe(Date.parse("2026-11-22T21:51:23.123Z"))
    expect(time("@2026-11-22T21:51:23")).toBe(Date.parse("2026-11-22T21:51:23Z"))
    expect(time("@2026-11-22T21:51")).toBe(Date.parse("2026-11-22T21:51:00Z"))
    expect(time("@2026-11-22")).toBe(Date.parse("2026-11-22T00:00:00Z"))
    expect(time("@2026-11-22 21:51:23+02:00")).toBe(Date.parse("2026-11-22T19:51:23Z"))
    expect(time("@2026-11-22t21:51:23-0530")).toBe(Date.parse("2026-11-23T03:21:23Z"))
    expect(time("@2028-02-29")).toBe(Date.parse("2028-02-29"))
  })

  it.each([
    "",
    "@",
    "-1",
    "1.5",
    "57 ",
    "0x10",
    "@-5",
    "99999999999999999",
    "@9999999999999999",
    "@2026-13-01",
    "@2026-02-30",
    "@2027-02-29",
    "@2026-11-22T24:00:00Z",
    "@2026-11-22T21:60",
    "@2026-11-22T21",
    "@2026-11-22Z",
    "@2026-11-22T21:51:23+24:00",
    "@1950-01-01",
    "now"
  ])("refuse %j", (text) => {
    expect(parseMoment(text)).toBeUndefined()
  })

  it("print as they are read", () => {
    for (const text of ["0", "57", "@1763848283500"]) expect(printMoment(parseMoment(text)!)).toBe(text)
  })
})
