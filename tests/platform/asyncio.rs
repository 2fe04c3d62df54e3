//! `asyncio`: the selector event loop on the component's sockets.

use std::net::UdpSocket;
use std::time::Duration;

use crate::sockets::{answers, network, python};
use crate::support::ports::free_port;

#[tokio::test(flavor = "multi_thread")]
async fn streams_talk_to_a_server_of_cpython() {
    let (_peer, port) = python(
        "
import asyncio
async def serve(reader, writer):
    async for line in reader:
        writer.write(line.upper())
        await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1])
    await server.serve_forever()
asyncio.run(main())
",
    );
    let source = format!(
        "
import asyncio
async def client(n):
    reader, writer = await asyncio.open_connection('127.0.0.1', {port})
    out = []
    for m in range(5):
        writer.write(b'line %d %d\\n' % (n, m))
        await writer.drain()
        out.append(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return out == [b'LINE %d %d\\n' % (n, m) for m in range(5)]
async def clients():
    return await asyncio.gather(*(client(n) for n in range(10)))
def main():
    return asyncio.run(clients()) == [True] * 10
"
    );
    answers(&source, &network(port), "True").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_an_asyncio_server() {
    let port = free_port();
    let source = format!(
        "
import asyncio
async def serve(reader, writer):
    seen.append(await reader.readline())
    writer.write(b'to ' + seen[-1])
    await writer.drain()
    writer.close()
    if len(seen) == 3:
        done.set()
async def run():
    global seen, done
    seen, done = [], asyncio.Event()
    async with await asyncio.start_server(serve, '127.0.0.1', {port}):
        Domoticz.Log('up')
        await done.wait()
        await asyncio.sleep(0.1)
    return sorted(seen)
def main():
    return asyncio.run(run())
"
    );
    let clients = std::thread::spawn(move || {
        for name in ["a", "b", "c"] {
            let answer = crate::sockets::ask(port, &format!("{name}\n"));
            assert_eq!(answer, format!("to {name}\n"));
        }
    });
    let config = format!("grants = {{ listen = [{port}] }}");
    answers(&source, &config, r"[b'a\n', b'b\n', b'c\n']").await;
    clients.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn datagrams_executors_and_callbacks_from_other_threads() {
    let peer = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let port = peer.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut buffer = [0; 100];
        while let Ok((read, from)) = peer.recv_from(&mut buffer) {
            peer.send_to(&buffer[..read], from).unwrap();
        }
    });
    let source = format!(
        "
import asyncio
class Protocol(asyncio.DatagramProtocol):
    def connection_made(self, transport): transport.sendto(b'hello')
    def datagram_received(self, data, address): self.got.set_result((data, address[1] == {port}))
async def run():
    loop = asyncio.get_running_loop()
    protocol = Protocol()
    protocol.got = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: protocol, remote_addr=('127.0.0.1', {port}))
    out = [await asyncio.wait_for(protocol.got, 20)]
    transport.close()
    out.append(await loop.run_in_executor(None, lambda: (time.sleep(0.1), 42)[1]))
    future = loop.create_future()
    def other():
        time.sleep(0.1)
        loop.call_soon_threadsafe(future.set_result, 'called')
    threading.Thread(target=other).start()
    out.append(await asyncio.wait_for(future, 20))
    try:
        await asyncio.wait_for(asyncio.sleep(20), 0.05)
    except TimeoutError:
        out.append('timeout')
    a, b = socket.socketpair()
    a.setblocking(False); b.setblocking(False)
    await loop.sock_sendall(a, b'pair')
    out.append(await loop.sock_recv(b, 10))
    return out
def main():
    return asyncio.run(run())
"
    );
    answers(
        &source,
        &network(port),
        "[(b'hello', True), 42, 'called', 'timeout', b'pair']",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_loops_run_in_two_threads() {
    let source = "
import asyncio
async def ticks(name):
    for n in range(20):
        await asyncio.sleep(0.01)
        order.append(name)
    return name
order = []
def main():
    out = []
    threads = [threading.Thread(target=lambda name=name: out.append(asyncio.run(ticks(name))))
               for name in 'ab']
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    changes = sum(one != two for one, two in zip(order, order[1:]))
    return sorted(out), len(order), changes > 5
";
    answers(source, "", "(['a', 'b'], 40, True)").await;
}

/// `asyncio.run` looks whether it is in the main thread, to handle Ctrl-C there.
#[tokio::test(flavor = "multi_thread")]
async fn a_callback_may_run_a_loop_and_what_cannot_work_says_so() {
    let source = "
import asyncio
async def run():
    loop = asyncio.get_running_loop()
    out = []
    # Accepted, because plugins ask for it at their start; none ever comes.
    loop.add_signal_handler(15, print)
    out.append(loop.remove_signal_handler(15))
    for make in (lambda: asyncio.create_subprocess_exec('ls'), lambda: asyncio.create_subprocess_shell('ls'),
                 lambda: asyncio.open_unix_connection('/x')):
        try:
            await make()
        except (OSError, NotImplementedError, RuntimeError) as e:
            out.append(bool(str(e)))
    await asyncio.sleep(0)
    return out
def onStart():
    try:
        answer = asyncio.run(run())
    except BaseException:
        import traceback
        answer = traceback.format_exc()
    Domoticz.Log('answer: %s.' % (answer,))
";
    let mut bench = crate::support::Bench::new();
    bench
        .start(crate::support::PluginText {
            name: "Main",
            source,
            config: "",
        })
        .await;
    let line = bench.line("answer: ").await;
    assert!(line.contains("[True, True, True, True]"), "{line}");
}
