//! Python threads beside callbacks.

use crate::support::{Bench, PluginText};

async fn run(source: &str, expected: &[&str]) {
    let mut bench = Bench::new();
    bench
        .start(PluginText {
            name: "T",
            source,
            config: "",
        })
        .await;
    for line in expected {
        bench.line(line).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_and_their_tools_work_as_in_cpython() {
    let source = r#"
import threading, queue, time
from concurrent.futures import ThreadPoolExecutor

def onStart():
    lock, rlock = threading.Lock(), threading.RLock()
    condition, event = threading.Condition(), threading.Event()
    semaphore, local = threading.Semaphore(2), threading.local()
    local.x = "main"
    order, inside, most = [], [], []

    def worker(n):
        local.x = n
        with semaphore:
            inside.append(n)
            most.append(len(inside))
            time.sleep(0.01)
            inside.remove(n)
        event.wait()
        with rlock:
            with rlock:
                with lock:
                    order.append((n, local.x))
        with condition:
            condition.notify()

    threads = [threading.Thread(target=worker, args=(n,), daemon=n % 2 == 0) for n in range(6)]
    for thread in threads:
        thread.start()
    assert not threads[0].join(0.005) and threads[0].is_alive()
    with condition:
        event.set()
        assert condition.wait(5)
    for thread in threads:
        thread.join()
    Domoticz.Log("order %s" % sorted(order))
    Domoticz.Log("at most %d inside, local %s, alive %d" % (max(most), local.x, threading.active_count()))

    q = queue.Queue(maxsize=1)
    def produce():
        for n in range(5):
            q.put(n)
        q.put(None)
    threading.Thread(target=produce).start()
    got = []
    while (item := q.get(timeout=5)) is not None:
        got.append(item)
    try:
        q.get(timeout=0.01)
    except queue.Empty:
        got.append("empty")
    Domoticz.Log("queue %s" % got)

    with ThreadPoolExecutor(3) as pool:
        Domoticz.Log("pool %s" % list(pool.map(lambda n: n * n, range(6))))
    fired = threading.Event()
    threading.Timer(0.02, fired.set).start()
    Domoticz.Log("timer %s" % fired.wait(5))
"#;
    run(
        source,
        &[
            "order [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]",
            "at most 2 inside, local main, alive 1",
            "queue [0, 1, 2, 3, 4, 'empty']",
            "pool [0, 1, 4, 9, 16, 25]",
            "timer True",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_thread_raises_reaches_the_hook_and_the_log() {
    let source = r#"
import threading
def onStart():
    t = threading.Thread(target=lambda: 1 / 0, name="bad")
    t.start(); t.join()
    threading.excepthook = lambda args: Domoticz.Log("hook %s in %s" % (args.exc_type.__name__, args.thread.name))
    t = threading.Thread(target=lambda: {}["x"], name="worse")
    t.start(); t.join()
"#;
    run(
        source,
        &[
            "Exception in thread bad:",
            "ZeroDivisionError: division by zero",
            "hook KeyError in worse",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_survive_while_many_threads_recurse_and_switch() {
    let source = r#"
import threading, time
def deep(n, tag):
    frame = [tag] * 32
    if n % 10 == 0:
        time.sleep(0)
    below = 0 if n == 0 else deep(n - 1, tag)
    assert frame == [tag] * 32, "a frame was overwritten"
    return below + 1
def onStart():
    results = []
    threads = [threading.Thread(target=lambda t=t: results.append(deep(200, t))) for t in range(8)]
    for t in threads: t.start()
    for t in threads: t.join()
    Domoticz.Log("depths %s" % results)
"#;
    run(source, &["depths [201, 201, 201, 201, 201, 201, 201, 201]"]).await;
}

/// Many plugins start a timer for each of their devices.
#[tokio::test(flavor = "multi_thread")]
async fn forty_timers_at_once_fit_into_the_default_limits() {
    let source = r#"
import threading
def onStart():
    fired, held = [], bytearray(16 << 20)
    timers = [threading.Timer(0.3 + n / 1000, fired.append, (n,)) for n in range(40)]
    for timer in timers: timer.start()
    at_once = threading.active_count() - 1
    for timer in timers: timer.join()
    Domoticz.Log("%d at once, %d fired" % (at_once, len(set(fired))))
"#;
    run(source, &["40 at once, 40 fired"]).await;
}

/// As many as the default allows, each as deep as Python's default allows, through native code:
/// two frames for each step. The frames live until the last thread has its own.
#[tokio::test(flavor = "multi_thread")]
async fn every_thread_has_the_recursion_limit_of_python() {
    let source = r#"
import threading
def onStart():
    barrier, depths = threading.Barrier(64), []
    def deep(n):
        if n == 0: barrier.wait(); return 0
        found = []
        [n].sort(key=lambda m: found.append(deep(m - 1)))
        return found[0] + 1
    threads = [threading.Thread(target=lambda: depths.append(deep(400))) for n in range(64)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    Domoticz.Log("%d as deep as %s" % (len(depths), set(depths)))
"#;
    run(source, &["64 as deep as {400}"]).await;
}

/// A thread's stack is smaller than that of callbacks, and its end is found in time all the same.
#[tokio::test(flavor = "multi_thread")]
async fn deep_calls_in_a_thread_raise_recursion_error() {
    let source = r#"
import json, re, sys, threading
def attempt(what, call):
    try: call()
    except RecursionError: Domoticz.Log(what + " was refused")
def work():
    def recurse(n): return recurse(n + 1)
    def sort(n): [n].sort(key=lambda m: sort(m + 1))
    def replace(n): return re.sub("a", lambda match: replace(n + 1), "a")
    deep = []
    for n in range(100000): deep = [deep]
    class Deep:
        def __getattr__(self, name): return getattr(self, name + "x")
        def __add__(self, other): return self + other
    attempt("a function", lambda: recurse(0))
    attempt("sort", lambda: sort(0))
    attempt("sub", lambda: replace(0))
    attempt("str", lambda: str(deep))
    attempt("==", lambda: deep == [[deep]])
    attempt("getattr", lambda: Deep().x)
    attempt("add", lambda: Deep() + 1)
    attempt("json", lambda: json.loads("[" * 100000))
    while deep: deep = deep[0]
def onStart():
    sys.setrecursionlimit(10 ** 9)
    for turn in range(2):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    Domoticz.Log("goes on")
"#;
    let refused = [
        "a function",
        "sort",
        "sub",
        "str",
        "==",
        "getattr",
        "add",
        "json",
    ];
    let lines: Vec<_> = refused.map(|what| format!("{what} was refused")).into();
    let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    lines.push("goes on");
    run(source, &lines).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computing_thread_delays_callbacks_by_less_than_100_ms() {
    let source = r#"
import threading, time
stop = False
def busy_loop():
    while not stop: pass
def busy_calls():
    def f(n): return 1 if n < 2 else f(n - 1) + f(n - 2)
    while not stop: f(12)
def onStart():
    global stop
    for work in (busy_loop, busy_calls):
        stop = False
        thread = threading.Thread(target=work); thread.start()
        worst = 0
        for _ in range(30):
            before = time.monotonic(); time.sleep(0.005)
            worst = max(worst, time.monotonic() - before - 0.005)
        stop = True
        thread.join()
        Domoticz.Log("%s delayed by %s" % (work.__name__, "less than 100 ms" if worst < 0.1 else "%.0f ms" % (worst * 1000)))
"#;
    run(
        source,
        &[
            "busy_loop delayed by less than 100 ms",
            "busy_calls delayed by less than 100 ms",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_go_on_beside_threads_and_stop_waits_for_them() {
    let source = r#"
import threading, time
done = threading.Event()
def work():
    while not done.is_set():
        time.sleep(0.01)
    Domoticz.Log("worker ended")
def onStart():
    Domoticz.Heartbeat(1)
    threading.Thread(target=work).start()
def onHeartbeat():
    Domoticz.Log("beat beside %d thread" % (threading.active_count() - 1))
def onStop():
    done.set()
    Domoticz.Log("stop")
"#;
    let mut bench = Bench::new();
    bench
        .start(PluginText {
            name: "T",
            source,
            config: "",
        })
        .await;
    bench.line("beat beside 1 thread").await;
    bench.hub.stop().await;
    bench.drain();
    assert!(
        bench.seen_line("worker ended").is_some(),
        "{}",
        bench.transcript()
    );
    assert!(
        bench.seen_line("threads still run").is_none(),
        "{}",
        bench.transcript()
    );
}
