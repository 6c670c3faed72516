/** HyperLogLogs: one that many elements go into, many small ones, and unions of large ones. */
import { redisBenchmark } from "./load.ts"
import { type Turn, withServer } from "./parts.ts"

/** So many different elements, and in the case of the small ones so many keys. */
const large = 1_000_000
const small = 10_000
const random = "__rand_int__"
const unions = ["a", "b", "c"]

/** What is timed, how much dearer than SET one request is, and from how many numbers the random ones are drawn. */
const requests: ReadonlyArray<readonly [title: string, cost: number, range: number, words: ReadonlyArray<string>]> = [
  ["PFADD, one of 1 M elements", 1, large, ["PFADD", "a", random]],
  ["PFADD, 10 k small ones", 4, small, ["PFADD", `small:${random}`, random]],
  ["PFCOUNT", 1, large, ["PFCOUNT", "a"]],
  ["PFCOUNT of 10 k small ones", 2, small, ["PFCOUNT", `small:${random}`]],
  ["PFCOUNT of three large ones", 100, large, ["PFCOUNT", ...unions]],
  ["PFMERGE of three large ones", 100, large, ["PFMERGE", "merged", ...unions]]
]

/** One turn of one server. */
export const hyperLogLogs = (turn: Turn): Promise<void> =>
  withServer(turn.start("everysec"), async ({ port }) => {
    for (const key of unions) {
      await redisBenchmark(port, ["-r", `${large}`, "-P", "64", "-n", "50000", "PFADD", key, random])
    }
    for (const [title, cost, range, words] of requests) {
      await turn.attempt("hyperloglog", async () => {
        const count = Math.ceil(turn.scale.requests[16] / cost)
        const args = ["-r", `${range}`, "-c", "50", "-P", "16"]
        turn.note(title)
        await redisBenchmark(port, [...args, "-n", `${Math.ceil(count / 4)}`, ...words])
        const run = await redisBenchmark(port, [...args, "-n", `${count}`, ...words])
        turn.record("hyperloglog", `${title}, P=16`, "req/s", "higher", run.requestsPerSecond)
      })
    }
  })
