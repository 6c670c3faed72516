import { describe, expect, it } from "vitest"
import { segmentHeaderBytes } from "../support/frames.ts"
import { outcomeOf } from "../support/log-writer.ts"
import { forSeeds, type Random, scaled } from "../support/random.ts"
import {
  manifestMark,
  markOf,
  type SampleLog,
  sampleLog,
  sampleOptions,
  sequenceAt,
  smallSegments,
  withFile
} from "../support/sample-log.ts"

/** Damage as disks, file systems and people do it, to any file of the log. */

type Damage = (bytes: Uint8Array, random: Random, others: ReadonlyArray<Uint8Array>) => Uint8Array

const block = (bytes: Uint8Array, random: Random, size: number): [number, number] => {
  const at = random.below(Math.ceil(bytes.length / size)) * size
  return [at, Math.min(at + size, bytes.length)]
}

const damages: Readonly<Record<string, Damage>> = {
  "bytes edited": (bytes, random) => {
    for (let n = random.between(2, 64); n > 0; n--) bytes[random.below(bytes.length)] = random.below(256)
    return bytes
  },
  "a run of bytes edited": (bytes, random) => {
    const at = random.below(bytes.length)
    random.fill(bytes, at, Math.min(bytes.length, at + random.between(2, 64)))
    return bytes
  },
  "block zeroed": (bytes, random) => bytes.fill(0, ...block(bytes, random, random.pick([512, 4096]))),
  "block of 0xFF": (bytes, random) => bytes.fill(0xff, ...block(bytes, random, random.pick([512, 4096]))),
  "block of noise": (bytes, random) => {
    random.fill(bytes, ...block(bytes, random, random.pick([512, 4096])))
    return bytes
  },
  "block duplicated in place of another": (bytes, random) => {
    const [from, to] = block(bytes, random, 512)
    bytes.copyWithin(block(bytes, random, 512)[0], from, to)
    return bytes
  },
  "block inserted twice": (bytes, random) => {
    const [from, to] = block(bytes, random, 512)
    return join(bytes.subarray(0, to), bytes.subarray(from))
  },
  "block missing": (bytes, random) => {
    const [from, to] = block(bytes, random, 512)
    return join(bytes.subarray(0, from), bytes.subarray(to))
  },
  "two blocks swapped": (bytes, random) => {
    const [a, aEnd] = block(bytes, random, 512)
    const [b, bEnd] = block(bytes, random, 512)
    const first = bytes.slice(a, aEnd)
    const second = bytes.slice(b, bEnd)
    bytes.set(second.subarray(0, first.length), a)
    bytes.set(first.subarray(0, second.length), b)
    return bytes
  },
  "stale block of another file": (bytes, random, others) => {
    const other = random.pick(others)
    const [from, to] = block(other, random, 512)
    const at = block(bytes, random, 512)[0]
    bytes.set(other.subarray(from, Math.min(to, from + bytes.length - at)), at)
    return bytes
  },
  "another file in its place": (_bytes, random, others) => random.pick(others).slice(),
  "garbage appended": (bytes, random) => join(bytes, random.bytes(random.between(1, 1500))),
  "zeros appended": (bytes, random) => join(bytes, new Uint8Array(random.between(1, 5000))),
  "0xFF appended": (bytes, random) => join(bytes, new Uint8Array(random.between(1, 5000)).fill(0xff)),
  "its own tail appended": (bytes, random) => join(bytes, bytes.subarray(random.below(bytes.length))),
  "its own frames appended": (bytes) => join(bytes, bytes.subarray(segmentHeaderBytes)),
  "emptied": () => new Uint8Array(0)
}

const join = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

/** First byte in which two files differ; their common length when one is the beginning of the other. */
const firstDifference = (a: Uint8Array, b: Uint8Array): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i
  return length
}

describe("damage", () => {
  const one = sampleLog(21, { closed: false, bytes: 9000 })
  const several = sampleLog(22, { closed: false, bytes: 13_000, options: smallSegments })
  const foreign = sampleLog(23, {
    closed: false,
    bytes: 9000,
    options: { ...sampleOptions, randomId: () => new Uint8Array(36).fill(9) }
  })
  const names = Object.keys(damages)

  const check = (sample: SampleLog, options: typeof sampleOptions, name: string, random: Random): void => {
    const kind = random.pick(names)
    const original = sample.disk.bytes(name)
    const others = [...sample.sealed, sample.active, foreign.active].filter((other) => other !== name)
      .map((other) => other === foreign.active ? foreign.bytes : sample.disk.bytes(other))
    others.push(foreign.bytes)
    const damaged = damages[kind]!(original.slice(), random, others)
    const at = firstDifference(original, damaged)
    const changed = at < Math.max(original.length, damaged.length)
    const warnings: Array<string> = []
    const outcome = outcomeOf(withFile(sample.disk, name, damaged), {
      ...options,
      warn: (message) => void warnings.push(message)
    })
    const where = `${kind} in ${name}, first at byte ${at} of ${original.length}: ${outcome.verdict}`
    if (!("lines" in outcome)) {
      if (outcome.verdict !== "corrupt") throw new Error(`${where} instead of corrupt: ${outcome.message}`)
      if (!changed) throw new Error(`${where}, though nothing changed: ${outcome.message}`)
      return
    }
    for (let i = 0; i < outcome.lines.length; i++) {
      if (outcome.lines[i] !== sample.lines[i]) {
        throw new Error(`${where}, batch ${i + 1} is ${outcome.lines[i]} instead of ${sample.lines[i]}`)
      }
    }
    if (outcome.lines.length < sample.lines.length) {
      if (outcome.verdict !== "torn") {
        throw new Error(`${where}, ${outcome.lines.length} of ${sample.lines.length} batches`)
      }
      if (name !== sample.active) throw new Error(`${where}, though the segment was sealed`)
      const mark = markOf(
        sample.frames.filter((f) => f.position + f.length <= at),
        manifestMark(sample.disk, sample.bytes)
      )
      if (outcome.lines.length < sequenceAt(sample.bytes, sample.frames, mark)) {
        throw new Error(`${where}, cut below the durable mark at ${mark}`)
      }
    }
    if (changed && outcome.verdict !== "torn" && warnings.length === 0) {
      throw new Error(`${where}, and not a word of it`)
    }
  }

  it("of any kind to a log in one segment: a prefix with all that was durable, or a refusal", () => {
    forSeeds(scaled(12_000), (random) => check(one, sampleOptions, one.active, random))
  })

  it("of any kind to any segment of several", () => {
    const files = [...several.sealed, several.active]
    forSeeds(scaled(8000), (random) => check(several, smallSegments, random.pick(files), random))
  })

  it("a segment missing, twice there, or of another store is refused by name", () => {
    const total = [...several.sealed, several.active]
    for (const name of several.sealed.slice(1)) {
      const outcome = outcomeOf(withFile(several.disk, name, undefined), smallSegments)
      if ("lines" in outcome) throw new Error(`${name} missing: ${outcome.verdict}`)
      expect(outcome.verdict).toBe("corrupt")
    }
    expect(outcomeOf(withFile(several.disk, several.active, undefined), smallSegments).verdict).toBe("corrupt")
    const twice = withFile(several.disk, "log/00000000000000000999.evl", several.disk.bytes(total[1]!))
    expect(outcomeOf(twice, smallSegments).verdict).toBe("corrupt")
    for (const name of total) {
      const outcome = outcomeOf(withFile(several.disk, name, foreign.bytes), smallSegments)
      expect(outcome.verdict, name).toBe("corrupt")
    }
  })

  it("a file that is no segment is left alone", () => {
    for (const name of ["log/notes.txt", "log/1.evl", "log/00000000000000000001.evl.bak", "README"]) {
      const disk = withFile(several.disk, name, Buffer.from("not mine"))
      const outcome = outcomeOf(disk, smallSegments)
      expect("lines" in outcome && outcome.lines, name).toEqual(several.lines)
      expect(Buffer.from(disk.bytes(name)).toString()).toBe("not mine")
    }
  })
})
