//! Computing time and waiting time.

use std::time::{Duration, Instant};

use cordon_runtime::instance::counters::Status;
use cordon_runtime::instance::orders::Order;
use rustix::time::{ClockId, clock_gettime};

use crate::attack::{Attack, By, assert_told};
use crate::scene::{FLAT, Scene, assert_failures, until};

trips! {
    a_loop_without_end_is_ended: "callback-cpu" => Attack::new("
def attack():
    while True: pass
").limits("callback-cpu = 300");

    /// No line of Python runs meanwhile.
    a_long_call_of_the_interpreter_is_ended: "callback-cpu" => Attack::new("
def attack(): sum(range(10 ** 12))
").limits("callback-cpu = 300");

    a_regular_expression_that_explodes_is_ended: "callback-cpu" => Attack::new("
import re
def attack(): re.match('(a|a)*b', 'a' * 60)
").limits("callback-cpu = 300");

    catching_everything_does_not_help: "callback-cpu" => Attack::new("
def attack():
    while True:
        try:
            while True: pass
        except BaseException: pass
        finally: continue
").limits("callback-cpu = 300");

    /// Threads compute on behalf of the callback that waits for them.
    threads_of_a_callback_are_counted: "callback-cpu" => Attack::new("
import threading
def work():
    while True: pass
def attack():
    threads = [threading.Thread(target=work) for n in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
").limits("callback-cpu = 300");

    sleeping_too_long_is_ended: "callback-wall" => Attack::new("
import time
def attack(): time.sleep(3600)
").limits("callback-wall = 300");

    waiting_for_nothing_is_ended: "callback-wall" => Attack::new("
import threading
def attack(): threading.Lock().acquire() and threading.Event().wait()
").limits("callback-wall = 300");

    computing_too_long_is_ended: "callback-wall" => Attack::new("
def attack():
    while True: pass
").limits("callback-wall = 300, callback-cpu = 60000");

    /// Whoever stops the plugin waits for it.
    stopping_too_long_is_ended: "stop-wall" => By(async |limit: &'static str| {
        for endless in ["time.sleep(3600)", "while True: pass"] {
            let source = format!("
import time
def onStart(): Domoticz.Log('up')
def onStop():
    Domoticz.Log('stopping')
    {endless}
");
            let mut scene = Scene::new().await;
            let config = "limits = { stop-wall = 300, callback-cpu = 60000 }";
            let attacker = scene.attack(&source, config).await;
            scene.said("up").await;
            let counters = attacker.counters.clone();
            until("it runs", || counters.status() == Status::Running).await;
            attacker.order(Order::Halt);
            scene.said("stopping").await;
            let line = scene.said(&format!("limit {limit}: ")).await;
            assert_told(limit, &attacker.spec.limits, &line);
            until("it is off", || counters.status() == Status::Stopped).await;
            assert_failures(&attacker, 1);
            scene.finish(FLAT).await;
        }
    });

    /// A thread in one long call keeps callbacks from being called at all.
    a_thread_that_holds_up_everything_is_ended: "callback-wall" => Attack::new("
import threading
def attack(): threading.Thread(target=sum, args=(range(10 ** 12),)).start()
").limits("callback-wall = 1000");

    a_thread_is_held_to_the_share: "cpu-share" => By(async |limit: &'static str| {
        let source = "
import threading
stop = False
def work():
    while not stop: pass
def onStart():
    threading.Thread(target=work).start()
    Domoticz.Heartbeat(1)
def onHeartbeat(): Domoticz.Log('beats on')
def onStop():
    global stop
    stop = True
";
        let mut scene = Scene::new().await;
        let attacker = scene.attack(source, "limits = { cpu-share = 10 }").await;
        // The burst of ten seconds at ten percent is used up after about one.
        let line = scene.said(&format!("limit {limit}: ")).await;
        assert_told(limit, &attacker.spec.limits, &line);
        let (wall, cpu) = (Instant::now(), process_cpu());
        tokio::time::sleep(Duration::from_secs(4)).await;
        let share = (process_cpu() - cpu).as_secs_f64() / wall.elapsed().as_secs_f64();
        println!("{:.0} percent of a core at a share of 10", share * 100.0);
        // Its own share and what the hub and the neighbour need.
        assert!(share < 0.4, "{:.0} percent of a core", share * 100.0);
        scene.said("beats on").await;
        assert_failures(&attacker, 0);
        scene.finish(FLAT).await;
    });
}

/// Computing time of this process, of all its threads.
pub fn process_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap(),
    )
}
