/** One index of many places: adding and moving them, and searching around them. */
import { encodeRequest } from "../support/resp-client.ts"
import { fillWith, integerReply, redisBenchmark, writeDigits } from "./load.ts"
import { label, type Turn, withServer } from "./parts.ts"

const key = "places"
const zeros = "0".repeat(12)

/** Spreads numbers all over 32 bits, each coming up once. */
const scattered = (number: number, by: number): number => Math.imul(number, by) >>> 0

/** Millionths of a degree that places spread over, in both directions: 2,200 km and more from south to north. */
const spread = 20_000_000

/** GEOADD of place:000000000000 to place:…(count - 1), somewhere in Europe; `round` says where each one lies. */
const addPlaces = (
  port: number,
  count: number,
  round: number,
  expected: string,
  pipeline: { readonly requests: number; readonly connections: number }
): Promise<void> => {
  const request = encodeRequest(["GEOADD", key, "00.000000", "00.000000", `place:${zeros}`])
  const longitudeAt = request.indexOf("00.000000")
  const latitudeAt = request.indexOf("00.000000", longitudeAt + 1)
  const memberAt = request.indexOf("place:") + 6
  const degrees = (bytes: Uint8Array, at: number, millionths: number): void => {
    for (let i = 8; i >= 0; i--) {
      if (i === 2) continue
      bytes[at + i] = 48 + millionths % 10
      millionths = Math.floor(millionths / 10)
    }
  }
  return fillWith(port, count, request, expected, (bytes, at, number) => {
    const seed = number + round * count
    degrees(bytes, at + longitudeAt, scattered(seed, 0x9e3779b1) % spread)
    degrees(bytes, at + latitudeAt, 35_000_000 + scattered(seed, 0x85ebca6b) % spread)
    writeDigits(bytes, at + memberAt, number)
  }, pipeline)
}

const center = ["FROMMEMBER", "place:__rand_int__"]
const searches: ReadonlyArray<readonly [title: string, cost: number, words: ReadonlyArray<string>]> = [
  ["GEOSEARCH of a circle", 10, ["GEOSEARCH", key, ...center, "BYRADIUS", "5", "km"]],
  ["GEOSEARCH of the 10 nearest", 20, [
    "GEOSEARCH",
    key,
    ...center,
    "BYRADIUS",
    "10",
    "km",
    "ASC",
    "COUNT",
    "10",
    "WITHDIST"
  ]],
  ["GEOSEARCH of a box", 10, ["GEOSEARCH", key, ...center, "BYBOX", "8", "8", "km", "WITHCOORD"]]
]

/** One turn of one server. */
export const geo = (turn: Turn, places: number): Promise<void> =>
  withServer(turn.start("everysec"), async (server) => {
    const size = label(places).replace("keys", "places")
    const time = async (title: string, work: () => Promise<void>): Promise<void> => {
      turn.note(`${title}, ${size}`)
      const began = performance.now()
      await work()
      turn.record("geo", `${title}, ${size}`, "req/s", "higher", places / (performance.now() - began) * 1000)
    }
    await time("GEOADD of new places, pipeline of 500", () =>
      addPlaces(server.port, places, 0, ":1\r\n", { requests: 500, connections: 4 }))
    const client = await server.client()
    const present = await integerReply(client, "ZCARD", key)
    await client.close()
    if (present !== places) {
      throw new Error(`${places} places were added, ZCARD says ${present}`)
    }
    await time("GEOADD of other places P=16", () =>
      addPlaces(server.port, places, 1, ":0\r\n", { requests: 16, connections: 50 }))
    for (const [title, cost, words] of searches) {
      for (const pipeline of [1, 16] as const) {
        await turn.attempt("geo", async () => {
          const count = Math.ceil(turn.scale.requests[pipeline] / cost)
          const args = ["-r", `${places}`, "-c", "50", "-P", `${pipeline}`]
          turn.note(`${title} P=${pipeline}`)
          await redisBenchmark(server.port, [...args, "-n", `${Math.ceil(count / 4)}`, ...words])
          const run = await redisBenchmark(server.port, [...args, "-n", `${count}`, ...words])
          turn.record("geo", `${title} P=${pipeline}, ${size}`, "req/s", "higher", run.requestsPerSecond)
        })
      }
    }
  })
