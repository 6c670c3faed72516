import { ReplyError } from "../../net/resp/reply.ts"

/** Why the role of the server does not change between MULTI and EXEC: the batch of that EXEC is still to be written. */
export const insideTransaction = new ReplyError(
  "ERR the role of a server cannot change inside a transaction, whose batch is not in the log yet"
)
