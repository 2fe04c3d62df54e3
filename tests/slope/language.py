import asyncio, queue, random, re, sqlite3, threading, datetime
from concurrent.futures import ThreadPoolExecutor


class Slots:
    __slots__ = ("a", "b")


class Plain:
    pass


@measure()
def slots_of_an_object():
    it, numbers = Slots(), itertools.count(1000000)

    def work():
        it.a = next(numbers)
        it.b = str(it.a)
    return work


@measure()
def an_object_with_slots():
    def work():
        it = Slots()
        it.a = "%s" % 1.5
        it.b = it.a + "x"
        del it.a
    return work


@measure()
def attributes():
    it, numbers = Plain(), itertools.count(1000000)

    def work():
        it.a = next(numbers)
        setattr(it, "b", str(it.a))
    return work


@measure()
def generators():
    return lambda: sum(n * 1000 for n in range(5) if any(m for m in (n, 0)))


@measure()
def a_generator_that_is_left():
    def numbers():
        try:
            yield from iter("abc")
        finally:
            pass
    return lambda: next(numbers())


@measure()
def exceptions():
    def work():
        try:
            try:
                raise ValueError("x" * 20)
            except ValueError as error:
                raise KeyError("y") from error
        except KeyError:
            pass
    return work


@measure()
def cycles():
    def work():
        a, b = Plain(), Plain()
        a.other, b.other = b, a
    # They pile up to the threshold of the collector, and the memory for that many stays.
    for _ in range(30000):
        work()
    return work


@measure()
def closures():
    def work():
        def outer(a):
            return lambda b: (a, b, work)
        outer(1)(2)
    return work


@measure(share=4)
def coroutines():
    async def part(n):
        await asyncio.sleep(0)
        return n

    async def whole():
        return await asyncio.gather(part(1), part(2))
    loop = asyncio.new_event_loop()
    return lambda: loop.run_until_complete(whole())


@measure()
def json_and_patterns():
    text = json.dumps({"a": [1, 2.5, None, "x" * 30], "b": {"c": True}})
    return lambda: re.sub(r"\d+", "n", json.dumps(json.loads(text)))


@measure("clock.cpu-time")
def clocks():
    def work():
        time.process_time()
        time.time()
        time.monotonic()
        time.strftime("%H:%M")
        datetime.datetime.now().isoformat()
    return work


@measure("clock.sleep")
def sleep():
    return lambda: time.sleep(0)


@measure()
def random_numbers():
    def work():
        os.urandom(40)
        random.SystemRandom().random()
        random.random()
    return work


@measure(share=0.2)
def rows_in_memory():
    base = sqlite3.connect(":memory:")
    base.execute("create table t (a integer primary key, b text)")
    numbers = itertools.count()

    def work():
        n = next(numbers) % 50
        base.execute("insert or replace into t values (?, ?)", (n, "x%d" % n))
        base.commit()
        base.execute("select * from t where a = ?", (n,)).fetchall()
    return work


@measure()
def rows_on_disk():
    base = sqlite3.connect("/data/slope.db")
    base.execute("create table if not exists t (a integer primary key, b text)")
    numbers = itertools.count()

    def work():
        n = next(numbers) % 50
        with base:
            base.execute("insert or replace into t values (?, ?)", (n, "x%d" % n))
    return work


@measure()
def databases():
    def work():
        base = sqlite3.connect("/data/slope.db")
        base.create_function("twice", 1, lambda n: n * 2)
        base.row_factory = sqlite3.Row
        base.execute("select twice(21) as n").fetchone()["n"]
        try:
            base.execute("select nothing")
        except sqlite3.OperationalError:
            pass
        base.close()
    return work


@measure()
def files():
    def work():
        with open("/data/file", "w") as file:
            file.write("some text\n")
        with open("/data/file") as file:
            file.readlines()
        os.rename("/data/file", "/data/other")
        os.stat("/data/other")
        os.remove("/data/other")
    return work


@measure()
def folders():
    def work():
        os.makedirs("/data/a/b", exist_ok=True)
        os.listdir("/data")
        [entry.stat() for entry in os.scandir("/plugin")]
        os.path.exists("/data/none")
        os.removedirs("/data/a/b")
        os.getcwd()
    return work


# Last, because some threads go on beside what comes after them.

@measure("threads.spawn", "threads.park", "threads.unpark")
def threads():
    def work():
        thread = threading.Thread(target=len, args=("x",))
        thread.start()
        thread.join()
    return work


@measure("threads.spawn")
def threads_with_values_of_their_own():
    values = threading.local()

    def body():
        values.x = [1, 2, 3]
        raise SystemExit

    def work():
        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        thread.join()
    return work


@measure("threads.park", "threads.unpark")
def a_timer():
    def work():
        timer = threading.Timer(0.001, len, ("x",))
        timer.start()
        timer.join()
    return work


@measure("threads.park", "threads.unpark", share=2)
def an_executor():
    pool = ThreadPoolExecutor(1)
    return lambda: pool.submit(len, "x").result()


@measure("threads.park", "threads.unpark")
def queues_and_locks():
    there, back, lock = queue.Queue(), queue.SimpleQueue(), threading.RLock()

    def echo():
        while True:
            back.put(there.get())
    threading.Thread(target=echo, daemon=True).start()

    def work():
        there.put("x")
        back.get()
        with lock:
            try:
                back.get(timeout=0.000001)
            except queue.Empty:
                pass
    return work


@measure("threads.yield-now", share=20)
def threads_that_compute():
    import _cordon_lock

    def work():
        begun = time.monotonic()
        while time.monotonic() - begun < 0.012:
            for _ in range(100):
                _cordon_lock.tick()
    return work


say = Domoticz.Log


def onStart():
    OPTIONS.update(json.loads(Parameters["Mode1"]))
    Domoticz.Heartbeat(1)


def onHeartbeat():
    if some_cases():
        tell()
