/**
 * Numbers of commands in the log: a name's place in this list, counted from 1; 0 says that no command caused a batch.
 * Append only: names are added at the end and never moved, for the numbers stand in every log ever written.
 */
const registry = (
  "copy del dump exists expire expireat expiretime keys migrate move object object|encoding object|freq object|help " +
  "object|idletime object|refcount persist pexpire pexpireat pexpiretime pttl randomkey rename renamenx restore " +
  "scan sort sort_ro touch ttl type unlink wait waitaof append decr decrby delex digest get getdel getex getrange " +
  "getset incr incrby incrbyfloat increx lcs mget mset msetex msetnx psetex set setex setnx setrange strlen substr " +
  "blmove blmovem blmpop blpop brpop brpoplpush lindex linsert llen lmove lmovem lmpop lpop lpos lpush lpushx " +
  "lrange lrem lset ltrim rpop rpoplpush rpush rpushx sadd scard sdiff sdiffcard sdiffstore sinter sintercard " +
  "sinterstore sismember smembers smismember smove spop srandmember srem sscan sunion sunioncard sunionstore hdel " +
  "hexists hexpire hexpireat hexpiretime hget hgetall hgetdel hgetex himport himport|discard himport|discardall " +
  "himport|prepare himport|set hincrby hincrbyfloat hkeys hlen hmget hmset hpersist hpexpire hpexpireat " +
  "hpexpiretime hpttl hrandfield hscan hset hsetex hsetnx hstrlen httl hvals bzmpop bzpopmax bzpopmin zadd zcard " +
  "zcount zdiff zdiffstore zincrby zinter zintercard zinterstore zlexcount zmpop zmscore zpopmax zpopmin " +
  "zrandmember zrange zrangebylex zrangebyscore zrangestore zrank zrem zremrangebylex zremrangebyrank " +
  "zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore zunion zunionstore xack xackdel " +
  "xadd xautoclaim xcfgset xclaim xdel xdelex xgroup xgroup|create xgroup|createconsumer xgroup|delconsumer " +
  "xgroup|destroy xgroup|help xgroup|setid xidmprecord xinfo xinfo|consumers xinfo|groups xinfo|help xinfo|stream " +
  "xlen xnack xpending xrange xread xreadgroup xrevrange xsetid xtrim psubscribe publish pubsub pubsub|channels " +
  "pubsub|help pubsub|numpat pubsub|numsub pubsub|shardchannels pubsub|shardnumsub punsubscribe spublish ssubscribe " +
  "subscribe sunsubscribe unsubscribe discard exec multi unwatch watch eval evalsha evalsha_ro eval_ro fcall " +
  "fcall_ro function function|delete function|dump function|flush function|help function|kill function|list " +
  "function|load function|restore function|stats script script|debug script|exists script|flush script|help " +
  "script|kill script|load auth client client|caching client|getname client|getredir client|help client|id " +
  "client|info client|kill client|list client|no-evict client|no-touch client|pause client|reply client|setinfo " +
  "client|setname client|tracking client|trackinginfo client|unblock client|unpause echo hello ping quit reset " +
  "select acl acl|cat acl|deluser acl|dryrun acl|genpass acl|getuser acl|help acl|list acl|load acl|log acl|save " +
  "acl|setuser acl|users acl|whoami backup backup|abort backup|cleanup backup|help backup|list backup|seal " +
  "backup|start backup|status bgrewriteaof bgsave command command|count command|docs command|getkeys " +
  "command|getkeysandflags command|help command|info command|list config config|get config|help config|resetstat " +
  "config|rewrite config|set dbsize debug failover flushall flushdb hotkeys hotkeys|get hotkeys|help hotkeys|reset " +
  "hotkeys|start hotkeys|stop info lastsave latency latency|doctor latency|graph latency|help latency|histogram " +
  "latency|history latency|latest latency|reset lolwut memory memory|doctor memory|help memory|malloc-stats " +
  "memory|purge memory|stats memory|usage module module|help module|list module|load module|loadex module|unload " +
  "monitor psync replconf replicaof restore-asking role save shutdown slaveof slowlog slowlog|get slowlog|help " +
  "slowlog|len slowlog|reset swapdb sync time asking cluster cluster|addslots cluster|addslotsrange " +
  "cluster|bumpepoch cluster|count-failure-reports cluster|countkeysinslot cluster|delslots cluster|delslotsrange " +
  "cluster|failover cluster|flushslots cluster|forget cluster|getkeysinslot cluster|help cluster|info " +
  "cluster|keyslot cluster|links cluster|meet cluster|migration cluster|myid cluster|myshardid cluster|nodes " +
  "cluster|replicas cluster|replicate cluster|reset cluster|saveconfig cluster|set-config-epoch cluster|setslot " +
  "cluster|shards cluster|slaves cluster|slot-stats cluster|slots readonly readwrite geoadd geodist geohash geopos " +
  "georadius georadiusbymember georadiusbymember_ro georadius_ro geosearch geosearchstore bitcount bitfield " +
  "bitfield_ro bitop bitpos getbit setbit pfadd pfcount pfdebug pfmerge pfselftest json.arrappend json.arrindex " +
  "json.arrinsert json.arrlen json.arrpop json.arrtrim json.clear json.debug json.debug|help json.debug|memory " +
  "json.del json.forget json.get json.merge json.mget json.mset json.numincrby json.nummultby json.objkeys " +
  "json.objlen json.resp json.set json.strappend json.strlen json.toggle json.type bf.add bf.card bf.exists bf.info " +
  "bf.insert bf.loadchunk bf.madd bf.mexists bf.reserve bf.scandump cf.add cf.addnx cf.count cf.del cf.exists " +
  "cf.info cf.insert cf.insertnx cf.loadchunk cf.mexists cf.reserve cf.scandump cms.incrby cms.info cms.initbydim " +
  "cms.initbyprob cms.merge cms.query topk.add topk.count topk.incrby topk.info topk.list topk.query topk.reserve " +
  "tdigest.add tdigest.byrank tdigest.byrevrank tdigest.cdf tdigest.create tdigest.info tdigest.max tdigest.merge " +
  "tdigest.min tdigest.quantile tdigest.rank tdigest.reset tdigest.revrank tdigest.trimmed_mean ts.add ts.alter " +
  "ts.create ts.createrule ts.decrby ts.del ts.deleterule ts.get ts.incrby ts.info ts.madd ts.mget ts.mrange " +
  "ts.mrevrange ts.nrange ts.nrevrange ts.queryindex ts.querylabels ts.range ts.read ts.revrange ft.aggregate " +
  "ft.aliasadd ft.aliasdel ft.aliaslist ft.aliasupdate ft.alter ft.create ft.dictadd ft.dictdel ft.dictdump " +
  "ft.dropindex ft.explain ft.explaincli ft.hybrid ft.info ft.profile ft.search ft.spellcheck ft.syndump " +
  "ft.synupdate ft.tagvals ft._list ft.config ft.config|get ft.config|help ft.config|set ft.cursor ft.cursor|del " +
  "ft.cursor|read ft.sugadd ft.sugdel ft.sugget ft.suglen vadd vcard vdim vemb vgetattr vinfo vismember vlinks " +
  "vrandmember vrange vrem vsetattr vsim arcount ardel ardelrange arget argetrange argrep arinfo arinsert " +
  "arlastitems arlen armget armset arnext arop arring arscan arseek arset client|multi-on-error log.undo"
).split(" ")

const numbers = new Map(registry.map((name, index) => [name, index + 1]))

/** Number of a command, named in lower case, subcommands as "client|kill"; 0 for one the registry does not know. */
export const commandNumber = (name: string): number => numbers.get(name) ?? 0

/** Name behind a number of the log; undefined for 0 and for numbers of a newer version. */
export const commandName = (number: number): string | undefined => registry[number - 1]
