/**
 * Up to what size a collection is one run of bytes. These are Redis's parameters. They shape memory and what OBJECT
 * ENCODING answers, never what a value is: two folds of one log with different limits hold the same data.
 */
export interface Limits {
  /** Most fields of a small hash, and the most bytes of a field or value in it. */
  hashEntries: number
  hashBytes: number
  /** Size of a list's node: elements when positive, -1 to -5 for 4 to 64 KiB. */
  listFill: number
  /** Most members of a set of integers. */
  intsetEntries: number
  /** Most members of another small set, and the most bytes of a member in it. */
  setEntries: number
  setBytes: number
  /** Most members of a small sorted set, and the most bytes of a member in it. */
  sortedSetEntries: number
  sortedSetBytes: number
  /** Most bytes of a sparse HyperLogLog. Decisions follow it, folds do not: the encoding is part of the value. */
  sparseHyperLogLogBytes: number
  /** Most bytes and most entries of a node of a stream; 0 for no limit. */
  streamNodeBytes: number
  streamNodeEntries: number
}

/** The limits of a server that is not told otherwise. */
export const defaultLimits = (): Limits => ({
  hashEntries: 512,
  hashBytes: 64,
  listFill: -2,
  intsetEntries: 512,
  setEntries: 128,
  setBytes: 64,
  sortedSetEntries: 128,
  sortedSetBytes: 64,
  sparseHyperLogLogBytes: 3000,
  streamNodeBytes: 4096,
  streamNodeEntries: 100
})
