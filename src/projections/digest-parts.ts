/** What digests are put together with; see digest.ts. */
import { hash } from "node:crypto"
import type { Slice } from "./memory/slice.ts"

export const digestBytes = 20

export const sha1 = (bytes: Uint8Array): Uint8Array => hash("sha1", bytes, "buffer")

export const sha1Of = (slice: Slice): Uint8Array => sha1(slice.bytes.subarray(slice.start, slice.start + slice.length))

export const xor = (digest: Uint8Array, other: Uint8Array): void => {
  for (let i = 0; i < digestBytes; i++) digest[i] = digest[i]! ^ other[i]!
}

/** Mixes something, given by its SHA-1, into a digest. Unlike `xor`, the order of mixing counts. */
export const mix = (digest: Uint8Array, hashed: Uint8Array): void => {
  xor(digest, hashed)
  digest.set(sha1(digest))
}
