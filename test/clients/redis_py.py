"""What an application does with redis-py. Prints a line for each part that went well; any other answer is an exception."""
import sys
import time

import redis

port = int(sys.argv[1])
r = redis.Redis(port=port, decode_responses=True, client_name="py", retry_on_error=[redis.ConnectionError])


def refused(text, ask):
    try:
        ask()
    except redis.ResponseError as refusal:
        assert text in str(refusal), refusal
    else:
        raise AssertionError(f"not refused: {text}")


def done(part):
    r.flushall()
    print(part, flush=True)


assert r.ping() and r.client_getname() == "py"
assert r.info("server")["redis_mode"] == "standalone"
assert r.config_get("appendfsync") == {"appendfsync": "everysec"}
assert r.command_count() > 200 and r.command()["get"]["arity"] == 2
done("connects")

assert r.set("k", "värde") is True and r.get("k") == "värde" and r.get("absent") is None
assert r.set("k", "x", nx=True) is None and r.set("k", "new", get=True) == "värde"
assert r.incrby("n", 5) == 5 and r.incrbyfloat("f", 1.5) == 1.5 and r.append("k", "!") == 4
assert r.mset({"a": 1, "b": 2}) and r.mget("a", "absent", "b") == ["1", None, "2"]
assert r.expire("a", 100) and 0 < r.ttl("a") <= 100 and r.persist("a") and r.ttl("a") == -1
refused("value is not an integer", lambda: r.incr("k"))
raw = redis.Redis(port=port)
every_byte = bytes(range(256))
assert raw.set(every_byte, every_byte) and raw.get(every_byte) == every_byte
done("strings")

assert r.hset("h", mapping={"a": 1, "b": 2}) == 2 and r.hgetall("h") == {"a": "1", "b": "2"}
assert r.rpush("l", *range(10)) == 10 and r.lrange("l", 0, 2) == ["0", "1", "2"] and r.lpop("l", 2) == ["0", "1"]
assert r.blpop("l", 1) == ("l", "2") and r.blpop("nothing", 0.05) is None and r.lmove("l", "m") == "3"
assert r.sadd("s", "a", "b") == 2 and r.smembers("s") == {"a", "b"} and r.sismember("s", "a")
assert r.zadd("z", {"a": 1, "b": 2.5}) == 2 and r.zrange("z", 0, -1, withscores=True) == [("a", 1.0), ("b", 2.5)]
assert r.geoadd("g", (13.361389, 38.115556, "Palermo")) == 1 and r.geopos("g", "Palermo")[0] is not None
assert r.pfadd("p", "a", "b") == 1 and r.pfcount("p") == 2 and r.setbit("bits", 7, 1) == 0 and r.bitcount("bits") == 1
refused("WRONGTYPE", lambda: r.get("h"))
done("collections")

first = r.xadd("x", {"f": "v"})
assert r.xgroup_create("x", "g", id="0") and r.xreadgroup("g", "c", {"x": ">"}) == [["x", [(first, {"f": "v"})]]]
assert r.xpending("x", "g")["pending"] == 1 and r.xack("x", "g", first) == 1 and r.xlen("x") == 1
assert r.xinfo_stream("x")["length"] == 1 and r.xread({"x": first}, block=20) == []
done("streams")

with r.pipeline(transaction=False) as pipe:
    for i in range(2000):
        pipe.set(f"key:{i}", i)
    assert pipe.execute() == [True] * 2000
assert len(set(r.scan_iter(match="key:*", count=50))) == 2000
r.hset("h", mapping={f"f{i}": i for i in range(1000)})
assert dict(r.hscan_iter("h")) == {f"f{i}": str(i) for i in range(1000)}
done("pipelines and iterators")

with r.pipeline() as pipe:
    assert pipe.set("a", 1).incr("a").get("a").execute() == [True, 2, "2"]
    pipe.watch("a")
    r.set("a", 10)
    pipe.multi()
    pipe.set("a", 3)
    try:
        pipe.execute()
        raise AssertionError("the watched key was changed")
    except redis.WatchError:
        pass
assert r.get("a") == "10"
assert r.transaction(lambda pipe: (pipe.multi(), pipe.incr("a")), "a") == [11]
done("transactions")

r.config_set("notify-keyspace-events", "KEA")
p = r.pubsub(ignore_subscribe_messages=True)
p.subscribe("news")
p.psubscribe("__keyevent@0__:*")
while not p.subscribed or r.pubsub_numpat() == 0 or r.pubsub_numsub("news") == [("news", 0)]:
    p.get_message(timeout=0.05)
assert r.publish("news", "hello") == 1
r.set("k", "v", px=30)
told = []
while len(told) < 4:
    message = p.get_message(timeout=5)
    if message is not None:
        told.append((message["type"], message["channel"], message["data"]))
assert told == [
    ("message", "news", "hello"),
    ("pmessage", "__keyevent@0__:set", "k"),
    ("pmessage", "__keyevent@0__:expire", "k"),
    ("pmessage", "__keyevent@0__:expired", "k"),
], told
p.close()
r.config_set("notify-keyspace-events", "")
done("messages")

r.set("k", "before")
print("kill the server", flush=True)
sys.stdin.readline()
for attempt in range(200):
    try:
        assert r.get("k") == "before"
        break
    except (redis.ConnectionError, redis.BusyLoadingError):
        time.sleep(0.05)
else:
    raise AssertionError("did not come back")
assert r.client_getname() == "py"
done("comes back")
