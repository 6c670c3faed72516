import { describe, expect, it } from "vitest"
import { BlockKeys } from "../../src/log/block-keys.ts"
import { WireError } from "../../src/log/events/wire.ts"
import { hashKey } from "../../src/log/key-filter.ts"
import { forSeeds, type Random, scaled } from "../support/random.ts"

const hashOf = (key: string): number => hashKey(Buffer.from(key), 0, key.length)

/** Blocks of random keys: some empty, some of one key again and again, one of very many. */
const randomBlocks = (random: Random): Array<Array<string>> =>
  Array.from({ length: random.between(1, 60) }, () => {
    const count = random.pick([0, 1, 1, 5, 100, 2000])
    const range = random.pick([1, 10, 1_000_000])
    return Array.from({ length: count }, () => `key:${random.below(range)}`)
  })

const moving = new Set([0, 3, 4, 17])

const gathered = (blocks: ReadonlyArray<ReadonlyArray<string>>, first = 0): BlockKeys => {
  const keys = new BlockKeys()
  blocks.forEach((block, i) => {
    keys.begin()
    if (moving.has(first + i)) {
      keys.moves()
      keys.moves()
    }
    for (const key of block) keys.add(hashOf(key))
  })
  return keys
}

const decoded = (keys: BlockKeys): BlockKeys => BlockKeys.decode(Buffer.concat(keys.encode()))!

/** Every key is found in its blocks, and hardly ever in another. */
const check = (keys: BlockKeys, blocks: ReadonlyArray<ReadonlyArray<string>>): void => {
  expect(keys.length).toBe(blocks.length)
  expect(keys.moving).toEqual([...moving].filter((block) => block < blocks.length))
  const sets = blocks.map((block) => new Set(block))
  let asked = 0
  let falseAlarms = 0
  for (const key of [...new Set(blocks.flatMap((block) => block.slice(0, 20))), "never", "", "key:"]) {
    const found = new Set(keys.blocksOf(hashOf(key)))
    sets.forEach((set, block) => {
      if (set.has(key) && !found.has(block)) throw new Error(`${key} is not found in block ${block}`)
      asked++
      if (!set.has(key) && found.has(block)) falseAlarms++
    })
  }
  expect(falseAlarms).toBeLessThan(20 + asked * 0.025)
}

describe("the keys of blocks", () => {
  it("are found again, in memory and from bytes, put together and cut, wherever the parts begin", () => {
    forSeeds(scaled(30), (random) => {
      const blocks = randomBlocks(random)
      const keys = gathered(blocks)
      check(keys, blocks)
      const cut = random.below(blocks.length + 1)
      const joined = gathered(blocks.slice(0, cut))
      joined.append(gathered(blocks.slice(cut), cut))
      check(joined, blocks)
      const pasted = gathered(blocks.slice(0, cut))
      keys.end()
      pasted.paste(keys.copy(cut))
      check(pasted, blocks)
      check(decoded(keys), blocks)
      check(decoded(joined), blocks)
      expect(Buffer.compare(Buffer.concat(joined.encode()), Buffer.concat(keys.encode()))).toBe(0)
      const again = gathered(blocks)
      again.truncate(cut)
      expect(again.length).toBe(cut)
      again.paste(keys.copy(cut))
      check(again, blocks)
      check(decoded(again), blocks)
      joined.recycle()
      check(gathered(blocks), blocks)
    })
  })

  it("take ten bits a key and few for keys that come again and again; a block of too many holds any key", () => {
    const sizeOf = (keys: BlockKeys): number => Buffer.concat(keys.encode()).length
    const distinct = Array.from({ length: 10_000 }, (_, i) => `key:${i}`)
    expect(sizeOf(gathered([distinct]))).toBeLessThan(10_000 * 10 / 8 + 40)
    const repeated = Array.from({ length: 10_000 }, (_, i) => `key:${i % 7}`)
    expect(sizeOf(gathered([repeated]))).toBeLessThan(60)
    check(gathered([repeated]), [repeated])
    const crowd = new BlockKeys()
    crowd.begin()
    for (let i = 0; i < 600_000; i++) crowd.add(i)
    expect(crowd.blocksOf(hashOf("never"))).toEqual([0])
    crowd.begin()
    crowd.add(hashOf("a"))
    expect(crowd.blocksOf(hashOf("never"))).toEqual([0])
    expect(decoded(crowd).blocksOf(hashOf("a"))).toEqual([0, 1])
    expect(decoded(crowd).blocksOf(hashOf("never"))).toEqual([0])
    expect(sizeOf(crowd)).toBeLessThan(40)
  })

  it("made with another hash are not understood, and cut short are refused", () => {
    const bytes = Buffer.concat(gathered([["a", "b"], [], ["c"]]).encode())
    expect(BlockKeys.decode(bytes)?.length).toBe(3)
    for (const at of [0, 2]) {
      const other = Buffer.from(bytes)
      other[at]! += 1
      expect(BlockKeys.decode(other)).toBeUndefined()
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(() => BlockKeys.decode(bytes.subarray(0, length))).toThrow(WireError)
    }
  })
})
