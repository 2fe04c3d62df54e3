//! Copies, fills and allocations of a few bytes, which the guest does itself: see its modules
//! `bulk` and `freed`.

use crate::support::{Bench, PluginText};

async fn run(source: &str, config: &str, expected: &str) {
    let mut bench = Bench::new();
    let name = "T";
    bench
        .start(PluginText {
            name,
            source,
            config,
        })
        .await;
    bench.line(expected).await;
}

/// Removing and inserting bytes moves those that come after them, by less than its length and by
/// more. The expectation is put together byte by byte.
#[tokio::test(flavor = "multi_thread")]
async fn parts_of_any_length_are_moved_to_where_they_overlap() {
    let source = r#"
def onStart():
    wrong = []
    for length in list(range(70)) + [127, 128, 129, 300]:
        for shift in (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 65):
            before = [(n * 7 + length) % 251 for n in range(5 + shift + length)]
            shorter = bytearray(before)
            del shorter[5:5 + shift]
            if [shorter[n] for n in range(len(shorter))] != before[:5] + before[5 + shift:]:
                wrong.append(("del", length, shift))
            longer = bytearray(before)
            longer[5:5] = bytes([255] * shift)
            if [longer[n] for n in range(len(longer))] != before[:5] + [255] * shift + before[5:]:
                wrong.append(("insert", length, shift))
    Domoticz.Log("moved, wrong: %s" % wrong[:9])
"#;
    run(source, "", "T: moved, wrong: []").await;
}

/// Memory that is asked for empty is empty, be it that somebody had it before.
#[tokio::test(flavor = "multi_thread")]
async fn new_memory_is_empty_and_filled_memory_full() {
    let source = r#"
def onStart():
    wrong = []
    for length in range(600):
        used = [bytearray(b"\xff" * length) for _ in range(3)]
        del used
        new = [bytearray(length) for _ in range(3)]
        full = [bytearray(b"\x07" * length), bytearray(b"").ljust(length, b"\x07")]
        for expected, found in ((0, new), (7, full)):
            if any(byte != expected for it in found for byte in it) or len(found[0]) != length:
                wrong.append((expected, length))
    Domoticz.Log("filled, wrong: %s" % wrong[:9])
"#;
    run(source, "", "T: filled, wrong: []").await;
}

/// Blocks of all sizes are freed, grown and used again in an order that repeats nothing; each
/// holds the bytes that were written to it.
#[tokio::test(flavor = "multi_thread")]
async fn freed_blocks_are_used_again_and_never_by_two() {
    let source = r#"
import random

def pattern(number, length):
    return bytes((number + n) & 255 for n in range(length))

def onStart():
    draw = random.Random(5)
    alive, wrong = {}, 0
    for number in range(12000):
        place = draw.randrange(300)
        old = alive.pop(place, None)
        if old is not None:
            made, block = old
            if bytes(block) != pattern(made, len(block)):
                wrong += 1
        length = draw.choice((1, 4, 5, 12, 13, 20, 60, 61, 500, 509, 512, 513, 700, 3000)) // draw.randrange(1, 3)
        block = bytearray()
        block.extend(pattern(number, length // 2))
        block.extend(pattern(number + length // 2, length - length // 2))
        alive[place] = number, block
    Domoticz.Log("kept %d, wrong: %d" % (len(alive), wrong))
"#;
    run(source, "", "T: kept 300, wrong: 0").await;
}

/// Small blocks that were freed by the million do not keep larger ones from being allocated.
#[tokio::test(flavor = "multi_thread")]
async fn what_small_blocks_had_is_there_for_large_ones() {
    let source = r#"
def onStart():
    for turn in range(3):
        many = [b"%050d" % n for n in range(300000)]
        del many
        large = [bytearray(1 << 20) for _ in range(30)]
        del large
    Domoticz.Log("all of it")
"#;
    // Either of them fits, both together do not.
    let config = "limits = { memory = 104857600, callback-cpu = 60000, callback-wall = 60000 }";
    run(source, config, "T: all of it").await;
}

/// The stack of a thread goes where another one was, although small blocks were freed there
/// meanwhile: kept ones would keep the parts of that room from each other.
#[tokio::test(flavor = "multi_thread")]
async fn a_stack_fits_where_small_blocks_were_freed() {
    let source = r#"
import threading

def work(barrier, kept):
    for n in range(10):
        for size in range(0, 500, 20):
            kept.append(bytes(size))
        barrier.wait()

def onStart():
    for turn in range(4):
        kept, barrier = [], threading.Barrier(60)
        threads = [threading.Thread(target=work, args=(barrier, kept)) for n in range(60)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        del kept
    Domoticz.Log("all joined")
"#;
    // The stacks of one turn take 120 MiB beside 60 of the runtime.
    let config = "limits = { memory = 234881024 }";
    run(source, config, "T: all joined").await;
}
