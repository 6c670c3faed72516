/**
 * Command lines by command whose keyspace notifications are compared. Each line runs in an emptied database 0 after the
 * preparing lines before it; lines are words separated by blanks, `''` stands for an empty word.
 */
export interface Subject {
  /** What fills the keys first; not compared. */
  readonly given: ReadonlyArray<string>
  readonly lines: ReadonlyArray<string>
}

const subject = (given: string, ...lines: ReadonlyArray<string>): Subject => ({
  given: given === "" ? [] : given.split("; "),
  lines
})

const strings = [
  subject("", "SET a 1", "SET a 2", "SET a 3 EX 100", "SET a 4 KEEPTTL", "SET a 5 GET", "SET a 6 NX", "SET b 6 XX"),
  subject(
    "",
    "SET a 1 PXAT 1",
    "GET a",
    "SETEX a 100 x",
    "PSETEX a 100000 x",
    "SETEX b 10 x",
    "SETNX a y",
    "SETNX c z"
  ),
  subject("", "GETSET a 1", "GETSET a 2", "MSET a 1 b 2 a 3", "MSETNX a 1 c 2", "MSETNX c 1 d 2 c 3"),
  subject(
    "",
    "APPEND a x",
    "APPEND a ''",
    "APPEND a y",
    "APPEND b ''",
    "SETRANGE a 1 zz",
    "SETRANGE c 0 ''",
    "SETRANGE c 2 x",
    "SETRANGE a 0 ''"
  ),
  subject(
    "",
    "INCR a",
    "DECR a",
    "INCRBY a 0",
    "INCRBY a 5",
    "DECRBY a 5",
    "INCRBYFLOAT a 1.5",
    "INCRBYFLOAT b 1",
    "INCRBYFLOAT a 0"
  ),
  subject(
    "SET a 1",
    "GETDEL a",
    "GETDEL a",
    "GETEX a",
    "GET a",
    "MGET a b a",
    "STRLEN a",
    "GETRANGE a 0 1",
    "SUBSTR a 0 1"
  ),
  subject(
    "SET a 1",
    "GETEX a",
    "GETEX a EX 100",
    "GETEX a EX 100",
    "GETEX a PERSIST",
    "GETEX a PERSIST",
    "GETEX a PXAT 1",
    "GET a"
  ),
  subject("SET a xyz; SET b xyz", "LCS a b", "LCS a c LEN"),
  subject("LPUSH l x", "SET l 1", "APPEND m x", "GET l", "SETRANGE l 0 x", "MSET l 1 m 2")
]

const keys = [
  subject(
    "MSET a 1 b 2 c 3",
    "DEL a x b",
    "UNLINK c c",
    "DEL a",
    "EXISTS a b",
    "TOUCH a",
    "TYPE a",
    "TTL a",
    "PEXPIRETIME x",
    "PTTL a"
  ),
  subject(
    "SET a 1",
    "EXPIRE a 100",
    "PEXPIRE a 100000",
    "EXPIREAT a 9999999999",
    "PEXPIREAT a 9999999999000",
    "PERSIST a",
    "PERSIST a"
  ),
  subject(
    "SET a 1; SET b 1",
    "EXPIRE a -1",
    "EXPIREAT b 1",
    "EXPIRE a 100",
    "EXPIRE a 10 XX",
    "EXPIRETIME a",
    "PEXPIRETIME a",
    "OBJECT FREQ a",
    "OBJECT FREQ x"
  ),
  subject("SET a 1", "EXPIRE a 100", "EXPIRE a 100", "EXPIRE a 100 NX", "PEXPIREAT a 1"),
  subject("SET a 1; SET b 2", "RENAME a b", "RENAME b b", "RENAME b c", "RENAMENX c d", "RENAMENX d d", "RENAME x y"),
  subject("SET a 1; LPUSH l x", "RENAMENX a l", "RENAME l a"),
  subject(
    "SET a 1 EX 100; LPUSH l x",
    "COPY a b",
    "COPY a b",
    "COPY a b REPLACE",
    "COPY l b REPLACE",
    "COPY a c DB 1",
    "COPY x y"
  ),
  subject("SET a 1", "MOVE a 2", "MOVE a 2", "SWAPDB 0 2", "MOVE a 2", "SWAPDB 0 2", "FLUSHDB", "FLUSHALL"),
  subject(
    "SET a 1",
    "OBJECT ENCODING a",
    "OBJECT ENCODING x",
    "OBJECT IDLETIME x",
    "OBJECT REFCOUNT x",
    "DUMP a",
    "DUMP x",
    "RANDOMKEY",
    "KEYS *",
    "SCAN 0"
  ),
  subject(
    "SET a 1",
    "DEBUG OBJECT a",
    "MEMORY USAGE a",
    "MEMORY USAGE x",
    "DBSIZE",
    "EXISTS a x a",
    "WATCH x a",
    "UNWATCH"
  ),
  subject(
    "RPUSH l 3 1 2; SET d x",
    "SORT l STORE d",
    "SORT l STORE e",
    "SORT x STORE e",
    "SORT x STORE e",
    "SORT l",
    "SORT x",
    "SORT_RO x",
    "SORT l STORE l"
  ),
  subject("RPUSH l 3 1 2; SET w_1 5", "SORT l BY w_*", "SORT l BY w_* GET v_* GET #", "SORT l GET v_*")
]

const lists = [
  subject(
    "",
    "LPUSH l a",
    "LPUSH l b c",
    "RPUSH l d",
    "LPUSHX l e",
    "RPUSHX l f",
    "LPUSHX x e",
    "RPUSHX x f",
    "LINSERT l BEFORE a z",
    "LINSERT l AFTER nope z",
    "LINSERT x AFTER nope z"
  ),
  subject(
    "RPUSH l a b c a",
    "LSET l 0 x",
    "LSET l 0 x",
    "LREM l 0 a",
    "LREM l 0 nope",
    "LREM l 1 x",
    "LREM x 1 x",
    "LREM l 0 b",
    "LREM l 0 c"
  ),
  subject("RPUSH l a b c d e", "LTRIM l 0 3", "LTRIM l 0 -1", "LTRIM l 1 1", "LTRIM l 5 9", "LTRIM x 0 1"),
  subject(
    "RPUSH l a b c d e f",
    "LPOP l",
    "RPOP l",
    "LPOP l 2",
    "LPOP l 0",
    "RPOP l 10",
    "LPOP l",
    "RPOP l 3",
    "LPOP x 0"
  ),
  subject("RPUSH l a b c", "LMPOP 2 x l LEFT", "LMPOP 2 x l RIGHT COUNT 5", "LMPOP 2 x l LEFT", "LMPOP 1 x LEFT"),
  subject(
    "RPUSH l a b c",
    "RPOPLPUSH l m",
    "LMOVE l m LEFT RIGHT",
    "LMOVE l m RIGHT LEFT",
    "LMOVE l m LEFT LEFT",
    "RPOPLPUSH m m",
    "LMOVE m m LEFT LEFT",
    "LMOVE m m LEFT RIGHT"
  ),
  subject(
    "RPUSH l a",
    "LMOVE l l LEFT RIGHT",
    "LMOVE l l LEFT LEFT",
    "RPOPLPUSH l l",
    "RPOPLPUSH x l",
    "LMOVE x x LEFT LEFT"
  ),
  subject(
    "RPUSH l a b c d",
    "BLPOP x l 1",
    "BRPOP l 1",
    "BRPOPLPUSH l m 1",
    "BLMOVE l m LEFT RIGHT 1",
    "BLMPOP 1 2 x m LEFT COUNT 9"
  ),
  subject("RPUSH l a b", "LRANGE l 0 1", "LRANGE x 0 1", "LLEN x", "LINDEX x 0", "LPOS x a", "LPOS l a"),
  subject("SET s 1", "LPUSH s a", "LPOP s", "LRANGE s 0 1")
]

const sets = [
  subject("", "SADD s a", "SADD s a", "SADD s a b", "SREM s a x", "SREM s x", "SREM s b", "SREM s b", "SREM x b"),
  subject("SADD s a b c d e", "SPOP s", "SPOP s 2", "SPOP s 0", "SPOP s 9", "SPOP s", "SPOP s 3"),
  subject(
    "SADD s a; SADD t a b",
    "SMOVE s t a",
    "SMOVE t s x",
    "SMOVE t t b",
    "SMOVE t u b",
    "SMOVE t u a",
    "SMOVE x y a"
  ),
  subject(
    "SADD s a b; SADD t b c",
    "SINTERSTORE d s t",
    "SUNIONSTORE d s t",
    "SDIFFSTORE d s t",
    "SDIFFSTORE d s s",
    "SDIFFSTORE d s s",
    "SINTERSTORE d x y",
    "SUNIONSTORE s x",
    "SINTERSTORE t t x"
  ),
  subject(
    "SADD s a b",
    "SISMEMBER x a",
    "SMISMEMBER x a b",
    "SCARD x",
    "SMEMBERS x",
    "SINTER x s",
    "SINTER s x",
    "SUNION s x",
    "SDIFF x s",
    "SDIFF s x",
    "SINTERCARD 2 s x",
    "SRANDMEMBER x",
    "SRANDMEMBER x 2",
    "SSCAN x 0"
  )
]

const hashes = [
  subject(
    "",
    "HSET h f 1",
    "HSET h f 1",
    "HSET h g 2 h 3",
    "HMSET h i 4",
    "HSETNX h f 2",
    "HSETNX h z 2",
    "HINCRBY h n 5",
    "HINCRBY h n 0",
    "HINCRBYFLOAT h n 1.5",
    "HINCRBY x n 1",
    "HINCRBYFLOAT y n 1"
  ),
  subject("HSET h a 1 b 2 c 3", "HDEL h a x", "HDEL h x", "HDEL h b c", "HDEL h b", "HDEL x b"),
  subject(
    "HSET h a 1",
    "HGET h x",
    "HGET x a",
    "HMGET x a b",
    "HGETALL x",
    "HKEYS x",
    "HVALS x",
    "HLEN x",
    "HEXISTS x a",
    "HSTRLEN x a",
    "HRANDFIELD x",
    "HRANDFIELD x 2",
    "HSCAN x 0",
    "HGET h a"
  )
]

const sortedSets = [
  subject(
    "",
    "ZADD z 1 a",
    "ZADD z 1 a",
    "ZADD z 2 a",
    "ZADD z NX 3 a 4 b",
    "ZADD z XX 3 x",
    "ZADD z INCR 1 a",
    "ZADD z INCR 0 a",
    "ZADD z GT INCR -5 a",
    "ZINCRBY z 2 a",
    "ZINCRBY z 0 a",
    "ZINCRBY y 1 a"
  ),
  subject("ZADD z 1 a 2 b 3 c", "ZREM z a x", "ZREM z x", "ZREM z b c", "ZREM z b"),
  subject(
    "ZADD z 1 a 2 b 3 c 4 d",
    "ZREMRANGEBYRANK z 0 0",
    "ZREMRANGEBYSCORE z 2 2",
    "ZREMRANGEBYSCORE z 9 9",
    "ZREMRANGEBYLEX z [c [c",
    "ZREMRANGEBYRANK z 0 -1",
    "ZREMRANGEBYRANK x 0 -1"
  ),
  subject(
    "ZADD z 1 a 2 b; ZADD y 1 a 5 c; SADD s a",
    "ZUNIONSTORE d 2 z y",
    "ZINTERSTORE d 2 z y",
    "ZDIFFSTORE d 2 z y",
    "ZDIFFSTORE d 2 z z",
    "ZDIFFSTORE d 2 z z",
    "ZUNIONSTORE d 1 s",
    "ZINTERSTORE d 2 z x",
    "ZUNIONSTORE z 1 x"
  ),
  subject(
    "ZADD z 1 a 2 b",
    "ZRANGESTORE d z 0 -1",
    "ZRANGESTORE d z 5 9",
    "ZRANGESTORE d z 5 9",
    "ZRANGESTORE z z 0 0",
    "ZRANGESTORE d x 0 1"
  ),
  subject(
    "ZADD z 1 a 2 b 3 c 4 d 5 e",
    "ZPOPMIN z",
    "ZPOPMAX z",
    "ZPOPMIN z 0",
    "ZPOPMAX z 2",
    "ZPOPMIN z 5",
    "ZPOPMIN z"
  ),
  subject(
    "ZADD z 1 a 2 b 3 c 4 d 5 e",
    "ZMPOP 2 x z MIN",
    "ZMPOP 1 z MAX COUNT 2",
    "BZPOPMIN x z 1",
    "BZPOPMAX z 1",
    "ZMPOP 1 z MIN"
  ),
  subject("ZADD z 1 a 2 b 3 c", "BZMPOP 1 2 x z MIN", "BZMPOP 1 1 z MAX COUNT 9"),
  subject(
    "ZADD z 1 a",
    "ZSCORE x a",
    "ZMSCORE x a",
    "ZRANK x a",
    "ZREVRANK x a",
    "ZCARD x",
    "ZCOUNT x 0 1",
    "ZLEXCOUNT x - +",
    "ZRANGE x 0 1",
    "ZREVRANGE x 0 1",
    "ZRANGEBYSCORE x 0 1",
    "ZREVRANGEBYSCORE x 1 0",
    "ZRANGEBYLEX x - +",
    "ZREVRANGEBYLEX x + -"
  ),
  subject(
    "ZADD z 1 a",
    "ZUNION 2 x z",
    "ZINTER 2 x z",
    "ZINTER 2 z x",
    "ZDIFF 2 x z",
    "ZDIFF 2 z x",
    "ZINTERCARD 2 z x",
    "ZRANDMEMBER x",
    "ZRANDMEMBER x 2",
    "ZSCAN x 0"
  )
]

const streams = [
  subject(
    "",
    "XADD s 1-1 f v",
    "XADD s 1-2 f v",
    "XADD x NOMKSTREAM 1-1 f v",
    "XADD s MAXLEN 2 1-3 f v",
    "XADD s MAXLEN 0 1-4 f v",
    "XADD s MINID 9 2-1 f v",
    "XADD s MAXLEN 5 2-2 f v"
  ),
  subject(
    "XADD s 1-1 f v; XADD s 1-2 f v; XADD s 1-3 f v",
    "XDEL s 1-1",
    "XDEL s 1-1",
    "XDEL s 1-2 1-3",
    "XDEL x 1-1",
    "XLEN s",
    "XSETID s 5-5",
    "XSETID s 5-6"
  ),
  subject(
    "XADD s 1-1 f v; XADD s 1-2 f v; XADD s 1-3 f v",
    "XTRIM s MAXLEN 2",
    "XTRIM s MAXLEN 2",
    "XTRIM s MINID 9",
    "XTRIM s MAXLEN 0",
    "XTRIM x MAXLEN 0"
  ),
  subject(
    "XADD s 1-1 f v; XADD s 1-2 f v",
    "XGROUP CREATE s g 0",
    "XGROUP CREATE s g 0",
    "XGROUP CREATE x g $ MKSTREAM",
    "XGROUP SETID s g 0",
    "XGROUP CREATECONSUMER s g c",
    "XGROUP CREATECONSUMER s g c",
    "XGROUP DELCONSUMER s g c",
    "XGROUP DELCONSUMER s g nobody",
    "XGROUP DESTROY s g",
    "XGROUP DESTROY s g"
  ),
  subject(
    "XADD s 1-1 f v; XADD s 1-2 f v; XADD s 1-3 f v; XGROUP CREATE s g 0",
    "XREADGROUP GROUP g c COUNT 1 STREAMS s >",
    "XREADGROUP GROUP g c COUNT 1 STREAMS s >",
    "XREADGROUP GROUP g d STREAMS s 0",
    "XACK s g 1-1",
    "XACK s g 1-1",
    "XCLAIM s g e 0 1-2",
    "XCLAIM s g e 0 1-2",
    "XAUTOCLAIM s g h 0 0",
    "XPENDING s g",
    "XREADGROUP GROUP g i COUNT 1 NOACK STREAMS s >",
    "XREADGROUP GROUP g j STREAMS s >"
  ),
  subject(
    "XADD s 1-1 f v; XGROUP CREATE s g 0; XREADGROUP GROUP g c STREAMS s >; XDEL s 1-1",
    "XCLAIM s g d 0 1-1",
    "XAUTOCLAIM s g e 0 0",
    "XREADGROUP GROUP g c STREAMS s 0"
  ),
  subject(
    "XADD s 1-1 f v",
    "XLEN x",
    "XRANGE x - +",
    "XREVRANGE x + -",
    "XREAD STREAMS s 0",
    "XINFO STREAM s",
    "XINFO STREAM x",
    "XINFO GROUPS x",
    "XINFO CONSUMERS x g",
    "XINFO GROUPS s",
    "XRANGE s - +",
    "DEL s"
  )
]

const geo = [
  subject(
    "",
    "GEOADD g 13 38 a 15 37 b",
    "GEOADD g 13 38 a",
    "GEOADD g 14 38 a",
    "GEOADD g NX 1 1 a",
    "GEODIST x a b",
    "GEOPOS x a",
    "GEOHASH x a",
    "GEOSEARCH x FROMLONLAT 1 1 BYRADIUS 1 km",
    "GEORADIUS_RO x 1 1 1 km",
    "GEORADIUSBYMEMBER_RO x a 1 km",
    "ZREM g a b"
  ),
  subject(
    "GEOADD g 13 38 a 15 37 b; SET d x",
    "GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 300 km",
    "GEOSEARCHSTORE e g FROMLONLAT 15 37 BYRADIUS 300 km STOREDIST",
    "GEOSEARCHSTORE e g FROMLONLAT 99 1 BYRADIUS 1 km",
    "GEOSEARCHSTORE e g FROMLONLAT 99 1 BYRADIUS 1 km",
    "GEOSEARCHSTORE d x FROMLONLAT 99 1 BYRADIUS 1 km",
    "GEORADIUS g 15 37 300 km STORE f",
    "GEORADIUSBYMEMBER g a 300 km STORE f",
    "GEORADIUS g 99 1 1 km STOREDIST f",
    "GEORADIUS x 99 1 1 km STORE f"
  )
]

const bitmaps = [
  subject(
    "",
    "SETBIT b 7 1",
    "SETBIT b 7 1",
    "SETBIT b 100 0",
    "GETBIT x 1",
    "BITCOUNT x",
    "BITPOS x 1",
    "SETBIT c 0 0"
  ),
  subject(
    "SET a abc; SET b xyz; LPUSH l x",
    "BITOP AND d a b",
    "BITOP NOT d a",
    "BITOP OR d x y",
    "BITOP OR d x y",
    "BITOP XOR a a b",
    "BITOP OR l a b"
  ),
  subject(
    "",
    "BITFIELD f SET u8 0 255",
    "BITFIELD f SET u8 0 255",
    "BITFIELD f INCRBY u8 0 1",
    "BITFIELD f GET u8 0",
    "BITFIELD x GET u8 0",
    "BITFIELD_RO x GET u8 0",
    "BITFIELD f OVERFLOW FAIL INCRBY u2 0 100",
    "BITFIELD f SET u8 0 1 SET u8 8 2",
    "BITFIELD n SET u8 0 0"
  )
]

const sketches = [
  subject(
    "",
    "PFADD p a",
    "PFADD p a",
    "PFADD p b c d",
    "PFADD q",
    "PFADD q",
    "PFCOUNT p",
    "PFCOUNT p q x",
    "PFCOUNT x",
    "PFMERGE m p q",
    "PFMERGE m p",
    "PFMERGE p x",
    "PFMERGE n x",
    "PFDEBUG TODENSE n",
    "PFDEBUG GETREG n"
  )
]

const waiting = [
  subject("", "& BLPOP l 0", "RPUSH l a b", "& BRPOP m x 0", "MULTI", "LPUSH x 1", "LPUSH x 2", "EXEC", "LLEN x"),
  subject("", "& BLMOVE l m LEFT RIGHT 0", "RPUSH l a", "& BRPOPLPUSH l m 0", "RPUSH l b c", "LRANGE m 0 -1"),
  subject("RPUSH l a", "& BLMOVE m m LEFT RIGHT 0", "RPOPLPUSH l m", "& BLMPOP 0 2 x y RIGHT COUNT 5", "RPUSH y a b"),
  subject(
    "",
    "& BZPOPMIN z 0",
    "ZADD z 1 a 2 b",
    "& BZPOPMAX y x 0",
    "ZADD x 1 a",
    "& BZMPOP 0 1 x MAX COUNT 9",
    "ZADD x 1 a 2 b",
    "ZCARD x"
  ),
  subject(
    "",
    "& XREAD BLOCK 0 STREAMS s $",
    "XADD s 1-1 f v",
    "XGROUP CREATE s g $",
    "& XREADGROUP GROUP g c BLOCK 0 STREAMS s >",
    "XADD s 1-2 f v",
    "& XREADGROUP GROUP g c BLOCK 0 STREAMS s >",
    "DEL s"
  ),
  subject(
    "RPUSH l a",
    "& BLPOP x y 0",
    "RENAME l x",
    "& BLPOP x y 0",
    "RPUSH l 5",
    "COPY l y",
    "& BLPOP x y 0",
    "SORT l STORE x"
  )
]

const transactions = [
  subject(
    "SET a 1 PXAT 1",
    "MULTI",
    "GET a",
    "SET a 2",
    "SELECT 3",
    "SET a 3",
    "SELECT 0",
    "INCR l",
    "LPUSH a x",
    "EXEC"
  ),
  subject(
    "SET a 1",
    "WATCH a",
    "SET a 2",
    "MULTI",
    "SET b 1",
    "EXEC",
    "MULTI",
    "SET b 1",
    "DISCARD",
    "MULTI",
    "FLUSHALL",
    "SET c 1",
    "SWAPDB 0 1",
    "GET c",
    "EXEC"
  ),
  subject("SET a 1", "MULTI", "SET b 1", "DEL a", "GET a", "LPUSH l x", "LPOP l", "EXEC"),
  subject("SET a 1", "SELECT 1", "SET b 1", "DEL b", "SELECT 0", "SET '' x", "DEL ''")
]

export const subjects: Readonly<Record<string, ReadonlyArray<Subject>>> = {
  strings,
  keys,
  lists,
  sets,
  hashes,
  "sorted sets": sortedSets,
  streams,
  geo,
  bitmaps,
  sketches,
  "commands that wait": waiting,
  transactions
}

/** What is no subject: values are restored in a test of their own, and a shard channel is no key. */
export const notSubjects: ReadonlyArray<string> = ["restore", "restore-asking", "spublish"]
