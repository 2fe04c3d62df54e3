//! The two stacks: the guest's own, and the machine's.

use crate::attack::{Attack, By};
use crate::scene::{FLAT, Scene, assert_failures};

/// The parser of the interpreter recurses without a count of its own, so source
/// text is how Python gets to the end of the machine's stack.
const DEEP_SOURCE: &str = "
def attack(): compile('-' * 1000000 + '1', 'deep', 'eval')
";

trips! {
    /// The limit is that of the guest's linker, so the hub cannot tell of it: it
    /// is Python's own `RecursionError`, and the plugin may even catch it.
    deep_calls_raise_recursion_error: "shadow-stack" => By(async |_| {
        let source = "
import sys
def attempt(what, call):
    try: call()
    except RecursionError: Domoticz.Log(what + ' was refused.')
def onStart():
    Domoticz.Heartbeat(1)
    sys.setrecursionlimit(10 ** 9)
    def recurse(n): return recurse(n + 1)
    attempt('a function', lambda: recurse(0))
    deep = []
    for n in range(100000): deep = [deep]
    attempt('str', lambda: str(deep))
    attempt('==', lambda: deep == [[deep]])
    class Deep:
        def __getattr__(self, name): return getattr(self, name + 'x')
    attempt('getattr', lambda: Deep().x)
    Domoticz.Log('goes on')
    while deep: deep = deep[0]
    recurse(0)
def onHeartbeat(): Domoticz.Log('beats on')
";
        let mut scene = Scene::new().await;
        let attacker = scene.attack(source, "").await;
        for what in ["a function", "str", "==", "getattr"] {
            scene.said(&format!("{what} was refused.")).await;
        }
        scene.said("goes on").await;
        // At the default memory: the traceback of some ten thousand frames is cut.
        scene.said("RecursionError").await;
        scene.said("beats on").await;
        assert_failures(&attacker, 0);
        // Ten thousands of frames take the plugin's own memory and stack.
        scene.finish((256 << 20) + FLAT).await;
    });

    source_that_is_nested_too_deep_ends_the_plugin: "wasm-stack" => Attack::new(DEEP_SOURCE);

    /// On a thread the guest's own stack is a block of its heap. Whatever is
    /// overwritten there is the plugin's own.
    nested_source_on_a_thread_ends_the_plugin: "wasm-stack" => Attack::new("
import threading
def attack():
    thread = threading.Thread(target=compile, args=('-' * 1000000 + '1', 'deep', 'eval'))
    thread.start()
    thread.join()
");
}
