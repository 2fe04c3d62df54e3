//! Threads: their number.

use crate::attack::Attack;

trips! {
    threads_beyond_the_limit_are_refused: "threads" => Attack::new("
import threading
def attack():
    release, started = threading.Event(), []
    for n in range(10):
        thread = threading.Thread(target=release.wait)
        try:
            thread.start()
            started.append(thread)
        except RuntimeError as error: Domoticz.Log('refused: %s.' % error)
    release.set()
    for thread in started: thread.join()
    Domoticz.Log('%d started.' % len(started))
    thread = threading.Thread(target=lambda: Domoticz.Log('another one.'))
    thread.start()
    thread.join()
").limits("threads = 3").says(&["refused: can't start new thread.", "3 started.", "another one."]);
}
