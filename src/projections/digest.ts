/**
 * A fingerprint of data that does not depend on how it came to be or lies in memory: DEBUG DIGEST and DIGEST-VALUE, equal
 * to what Redis answers for the same data. Twenty bytes, written as 40 hexadecimal digits:
 *
 * ```
 * mix(d, x)   d := SHA1(d ^ SHA1(x))
 * value       0, mix(type, u32 big-endian), then by type; with a deadline: ^ SHA1("!!expire!!")
 *   string      mix(text)
 *   list        mix(element), one after the other
 *   set         ^ SHA1(member)
 *   hash        ^ SHA1 of (0, mix(field), mix(value)) for each field
 *   sorted set  ^ SHA1 of (0, mix(member), mix(score as %.17g)) for each member
 *   stream      for each entry mix(id as <ms>.<seq>), then mix(field), mix(value) for each pair
 * key         0, mix(key), then on as for the value
 * keyspace    0; for each database that is not empty, by number: mix(number, u32 big-endian), then ^ SHA1 of each key's digest
 * ```
 *
 * Redis counts that there is a deadline, not which. `stateDigest` counts the deadline itself, and of a stream its ids,
 * groups and producers, for comparing two folds of one log.
 */
import { digestBytes, mix, sha1, sha1Of, xor } from "./digest-parts.ts"
import { mixStream, mixStreamState } from "./digest-stream.ts"
import * as Entry from "./entry.ts"
import { eachField, eachFieldOfAll, isGone } from "./hash-read.ts"
import type { Database, Keyspace } from "./keyspace.ts"
import { eachElement, listLength } from "./list.ts"
import type { Pointer } from "./memory/arena.ts"
import { Slice } from "./memory/slice.ts"
import { eachMember } from "./set.ts"
import { cardinality, eachRanked } from "./sorted-set-read.ts"
import { readString } from "./string.ts"

const bigEndian = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)

/** Redis's numbers of types are ours but for streams, before which it has modules. */
const typeHashes = Entry.types.map((_name, type) => sha1(bigEndian(type === Entry.Type.stream ? 6 : type)))
const expireHash = sha1(Buffer.from("!!expire!!"))

const slice = new Slice()
const digits = new Uint8Array(24)

/** Digest of one element made of several parts. */
const pair = new Uint8Array(digestBytes)

/** The digests of a hash's fields, put together. */
const fields = new Uint8Array(digestBytes)
const fieldExpireHash = sha1(Buffer.from("!!hexpire!!"))

const mixField = (field: Slice, value: Slice, deadline: number): void => {
  pair.fill(0)
  mix(pair, sha1Of(field))
  mix(pair, sha1Of(value))
  if (deadline !== 0) xor(pair, fieldExpireHash)
  xor(fields, sha1(pair))
}

const mixExactField = (field: Slice, value: Slice, deadline: number): void => {
  pair.fill(0)
  mix(pair, sha1Of(field))
  mix(pair, sha1Of(value))
  if (deadline !== 0) mix(pair, sha1(Buffer.from(String(deadline))))
  xor(fields, sha1(pair))
}

const mixElements = (digest: Uint8Array, db: Database, p: Pointer, now: number, exact: boolean): void => {
  switch (Entry.typeOf(db.arena, p)) {
    case Entry.Type.string:
      mix(digest, sha1Of(readString(db, p, slice, digits)))
      break
    case Entry.Type.list:
      eachElement(db, p, 0, listLength(db, p), false, (element) => {
        mix(digest, sha1Of(element))
        return true
      })
      break
    case Entry.Type.set:
      eachMember(db, p, (member) => xor(digest, sha1Of(member)))
      break
    case Entry.Type.hash:
      if (exact) eachFieldOfAll(db, p, mixExactField)
      else eachField(db, p, now, mixField)
      for (let i = 0; i < digestBytes; i++) digest[i] = digest[i]! ^ fields[i]!
      fields.fill(0)
      break
    case Entry.Type.zset:
      eachRanked(db, p, 0, cardinality(db, p), false, (member, score) => {
        pair.fill(0)
        mix(pair, sha1Of(member))
        mix(pair, sha1(Buffer.from(seventeenDigits(score))))
        xor(digest, sha1(pair))
      })
      break
    case Entry.Type.stream:
      mixStream(digest, db, p)
      if (exact) mixStreamState(digest, db, p)
      break
  }
}

/** As many digits as JavaScript gives; a score that lies between two at seventeen has one more and then zeros. */
const mostDigits = 100

/** Seventeen digits in exponential form. JavaScript rounds what lies exactly between two up, C to the even one. */
const exponential = (score: number): string => {
  const longer = score.toExponential(17)
  const end = longer.indexOf("e")
  if (longer[end - 1] !== "5" || !/[02468]/.test(longer[end - 2]!)) return score.toExponential(16)
  const exact = score.toExponential(mostDigits)
  const between = /^0*e/.test(exact.slice(end))
  return between ? longer.slice(0, end - 1) + longer.slice(end) : score.toExponential(16)
}

/** A score as C's %.17g prints it. */
const seventeenDigits = (score: number): string => {
  if (!Number.isFinite(score)) return score > 0 ? "inf" : "-inf"
  if (Object.is(score, -0)) return "-0"
  const [mantissa, exponent] = exponential(Math.abs(score)).split("e") as [string, string]
  const sign = score < 0 ? "-" : ""
  const power = Number(exponent)
  const withoutZeros = (text: string): string => text.includes(".") ? text.replace(/\.?0*$/, "") : text
  if (power < -4 || power > 16) {
    return `${sign}${withoutZeros(mantissa)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`
  }
  const digits = "0".repeat(Math.max(0, -power)) + mantissa.replace(".", "")
  const whole = Math.max(0, power) + 1
  return sign + withoutZeros(`${digits.slice(0, whole)}.${digits.slice(whole)}`)
}

const mixValue = (digest: Uint8Array, db: Database, p: Pointer, now: number, exact: boolean): void => {
  mix(digest, typeHashes[Entry.typeOf(db.arena, p)]!)
  mixElements(digest, db, p, now, exact)
  const deadline = Entry.deadlineOf(db.arena, p)
  if (deadline === 0) return
  if (exact) mix(digest, sha1(Buffer.from(String(deadline))))
  else xor(digest, expireHash)
}

const hex = (digest: Uint8Array): string => Buffer.from(digest).toString("hex")

/** The digest's zero: an empty keyspace, an absent key. */
export const emptyDigest = hex(new Uint8Array(digestBytes))

/** Yields after each few keys. */
function* digesting(keyspace: Keyspace, now: number, exactDeadlines: boolean): Generator<undefined, string> {
  const total = new Uint8Array(digestBytes)
  const keys = new Uint8Array(digestBytes)
  const one = new Uint8Array(digestBytes)
  for (let number = 0; number < keyspace.databases.length; number++) {
    const db = keyspace.databases[number]!
    let counted = 0
    keys.fill(0)
    for (let position = 0; position >= 0;) {
      position = db.dict.walk(position, (p) => {
        if (isGone(db, p, now)) return
        counted++
        one.fill(0)
        mix(one, sha1Of(Entry.keyOf(db.arena, p, slice)))
        mixValue(one, db, p, now, exactDeadlines)
        xor(keys, sha1(one))
      })
      yield undefined
    }
    if (counted === 0) continue
    mix(total, sha1(bigEndian(number)))
    xor(total, keys)
  }
  return hex(total)
}

const digestOf = (keyspace: Keyspace, now: number, exactDeadlines: boolean): string => {
  const steps = digesting(keyspace, now, exactDeadlines)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/**
 * The digest of the whole data at a moment (Unix ms), as Redis computes it. Keys that are dead at that moment do not
 * count, whether or not their death has been recorded: so the digest never depends on when somebody met them.
 */
export const digest = (keyspace: Keyspace, now: number): string => digestOf(keyspace, now, false)

/**
 * The digest of the whole data as the events left it: every deadline counts with its value, and so do dead keys whose
 * death was not recorded. Equal for any two keyspaces that folded the same events.
 */
export const stateDigest = (keyspace: Keyspace): string => digestOf(keyspace, 0, true)

/** `stateDigest` in short steps, between which the keyspace must stay as it is. */
export const stateDigestSteps = (keyspace: Keyspace): Generator<undefined, string> => digesting(keyspace, 0, true)

/**
 * The digest of one entry's value at a moment (Unix ms; 0 counts fields past their deadlines), as
 * Redis computes it; of no entry (0), `emptyDigest`.
 */
export const digestValue = (db: Database, p: Pointer, now = 0): string => valueDigest(db, p, now, false)

/** The digest of one entry's value as the events left it: deadlines of fields, ids and groups of a stream count as well. */
export const stateDigestValue = (db: Database, p: Pointer): string => valueDigest(db, p, 0, true)

const valueDigest = (db: Database, p: Pointer, now: number, exact: boolean): string => {
  if (p === 0) return emptyDigest
  const value = new Uint8Array(digestBytes)
  mixValue(value, db, p, now, exact)
  return hex(value)
}
