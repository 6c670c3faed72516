import * as Fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Buckets } from "../../src/metrics/buckets.ts"
import { Report } from "../../src/metrics/prometheus.ts"

describe("Prometheus text", () => {
  it("has one head per name and escapes labels", () => {
    const report = new Report()
    report.gauge("a", "One\nline \\ of help.", 1.5)
    report.counter("b_total", "B.", [[{ x: "1" }, 2], [{ x: "q\"\\\n", y: "z" }, Infinity]])
    const buckets = new Buckets([1, 10])
    for (const value of [0.5, 1, 7, 100]) buckets.record(value)
    report.histogram("c", "C.", [[{ k: "v" }, { ...buckets, counts: buckets.cumulative() }]])
    expect(report.text()).toMatchInlineSnapshot(`
      "# HELP a One\\nline \\\\ of help.
      # TYPE a gauge
      a 1.5
      # HELP b_total B.
      # TYPE b_total counter
      b_total{x="1"} 2
      b_total{x="q\\"\\\\\\n",y="z"} +Inf
      # HELP c C.
      # TYPE c histogram
      c_bucket{k="v",le="1"} 2
      c_bucket{k="v",le="10"} 3
      c_bucket{k="v",le="+Inf"} 4
      c_sum{k="v"} 108.5
      c_count{k="v"} 4
      "
    `)
  })

  it("counts values into the bucket of the first bound they do not pass", () => {
    Fc.assert(
      Fc.property(Fc.array(Fc.double({ min: 0, max: 200, noNaN: true })), (values) => {
        const bounds = [0.5, 1, 10, 100]
        const buckets = new Buckets(bounds)
        for (const value of values) buckets.record(value)
        expect(buckets.cumulative()).toEqual(bounds.map((bound) => values.filter((value) => value <= bound).length))
        expect(buckets.count).toBe(values.length)
        expect(buckets.sum).toBeCloseTo(values.reduce((sum, value) => sum + value, 0))
      })
    )
  })
})
