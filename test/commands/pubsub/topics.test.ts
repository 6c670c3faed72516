/** Subscriptions against a plain model: maps of strings. */
import { describe, expect, it } from "vitest"
import { Topics } from "../../../src/commands/pubsub/topics.ts"
import { Slice } from "../../../src/projections/memory/slice.ts"
import { TestConnection } from "../../support/harness.ts"
import { Random } from "../../support/random.ts"

const rounds = 20
const steps = 3000

describe("subscriptions of one kind", () => {
  it("are those of a model, whatever comes in whatever order", () => {
    for (let round = 0; round < rounds; round++) {
      const seed = (Math.random() * 0x7fff_ffff) | 0
      const random = new Random(seed)
      const topics = new Topics("channels", { k0: random.uint32(), k1: random.uint32() })
      const model = new Map<string, Array<TestConnection>>()
      const connections = Array.from({ length: 1 + random.below(12) }, (_, id) => new TestConnection(id, 0))
      const names = Array.from({ length: 1 + random.below(400) }, (_, i) => `${"\xff\0c".slice(0, i % 4)}${i}`)
      const held = (connection: TestConnection) =>
        [...model].filter(([, subscribers]) => subscribers.includes(connection))
      const leave = (connection: TestConnection, name: string): void => {
        const left = model.get(name)!.filter((other) => other !== connection)
        if (left.length === 0) model.delete(name)
        else model.set(name, left)
      }
      const check = (): void => {
        expect(topics.size, `seed ${seed}`).toBe(model.size)
        expect(topics.all.map(({ name }) => name).toSorted(), `seed ${seed}`).toEqual([...model.keys()].toSorted())
        for (const [name, subscribers] of model) {
          expect(topics.find(Slice.latin1(name))?.subscribers, `seed ${seed}`).toEqual(subscribers)
        }
        for (const connection of connections) expect(connection.client.channels).toBe(held(connection).length)
      }
      for (let step = 0; step < steps; step++) {
        const connection = connections[random.below(connections.length)]!
        const name = names[random.below(names.length)]!
        const has = model.get(name)?.includes(connection) === true
        const kind = random.below(100)
        if (kind < 60) {
          expect(topics.subscribe(connection, Slice.latin1(name)), `seed ${seed}`).toBe(!has)
          if (!has) model.set(name, [...model.get(name) ?? [], connection])
        } else if (kind < 94) {
          expect(topics.unsubscribe(connection, Slice.latin1(name)), `seed ${seed}`).toBe(has)
          if (has) leave(connection, name)
        } else if (kind < 98) {
          const one = topics.unsubscribeNext(connection)
          expect(one === undefined, `seed ${seed}`).toBe(held(connection).length === 0)
          if (one !== undefined) leave(connection, one.name)
        } else {
          topics.forget(connection)
          for (const [taken] of held(connection)) leave(connection, taken)
        }
        if (step % 500 === 0) check()
      }
      check()
      for (const connection of connections) topics.forget(connection)
      expect([topics.size, topics.all.length]).toEqual([0, 0])
      expect(topics.find(Slice.latin1(names[0]!))).toBeUndefined()
    }
  })
})
