//! `socket`, `select` and modules that stand on them, against real peers.

mod library;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::ports::free_port;
use crate::support::{Bench, PluginText};

/// A plugin whose `main()` returns the line that the test waits for.
const RUN: &str = r#"
import errno, os, select, selectors, socket, sys, threading, time, traceback
def report():
    try:
        answer = main()
    except BaseException:
        answer = traceback.format_exc()
    Domoticz.Log("answer: %s." % (answer,))
def onStart():
    threading.Thread(target=report).start()
"#;

/// Runs `main()` of `source` and asserts its result.
pub async fn answers(source: &str, config: &str, expected: &str) {
    let mut bench = Bench::new();
    let answer = answer(&mut bench, source, config).await;
    assert_eq!(answer, expected, "in:\n{}", bench.transcript());
}

/// Runs `main()` of `source`; returns its result.
pub async fn answer(bench: &mut Bench, source: &str, config: &str) -> String {
    let source = format!("{source}{RUN}");
    bench
        .start(PluginText {
            name: "Sockets",
            source: &source,
            config,
        })
        .await;
    let line = bench.line("answer: ").await;
    let answer = line.split_once("answer: ").expect("an answer").1;
    answer.trim_end_matches('.').to_owned()
}

/// The grant of one port on this machine.
pub fn network(port: u16) -> String {
    format!("grants = {{ network = [\"127.0.0.1:{port}\"] }}")
}

/// A thread that runs `serve` for each client.
fn tcp_peer(serve: impl Fn(TcpStream) + Copy + Send + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            std::thread::spawn(move || serve(client));
        }
    });
    port
}

fn echo(mut client: TcpStream) {
    let mut buffer = [0; 65_536];
    while let Ok(read @ 1..) = client.read(&mut buffer) {
        if client.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
}

/// Connects as soon as somebody listens.
fn connect(port: u16) -> TcpStream {
    for _ in 0..12_000 {
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
            stream
                .set_read_timeout(Some(Duration::from_secs(30)))
                .unwrap();
            return stream;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("nobody listens on {port}");
}

/// A program that ends with the test.
pub struct Program(pub Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a Python program that prints its port on its first line.
pub fn python(source: &str) -> (Program, u16) {
    let mut child = Command::new("python3")
        .args(["-u", "-c", source])
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed");
    let mut line = String::new();
    let output = child.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).unwrap();
    (Program(child), line.trim().parse().expect("a port"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_talks_to_a_peer_and_sees_its_end() {
    let port = tcp_peer(|mut client| {
        client.write_all(b"hello").unwrap();
        let mut all = Vec::new();
        client.read_to_end(&mut all).unwrap();
        client.write_all(all.len().to_string().as_bytes()).unwrap();
    });
    let source = format!(
        "
def main():
    s = socket.create_connection(('127.0.0.1', {port}), timeout=20)
    first = s.recv(100)
    s.sendall(bytes(3000000))
    peer = s.getpeername()[1] == {port}
    s.shutdown(socket.SHUT_WR)
    count = s.makefile('r').read()
    end = s.recv(1)
    s.close()
    return first, count, end, peer, s.fileno()
"
    );
    answers(
        &source,
        &network(port),
        "(b'hello', '3000000', b'', True, -1)",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_resolved_and_every_form_of_receiving_works() {
    let port = tcp_peer(echo);
    let source = format!(
        "
def main():
    s = socket.create_connection(('localhost', {port}))
    s.sendall(b'0123456789' * 2)
    out = [s.recv(2, socket.MSG_PEEK), s.recv(5), s.recvfrom(1)[0]]
    b = bytearray(4)
    out += [s.recv_into(b), bytes(b), s.recv_into(b, 2), bytes(b)]
    out += [s.recv(8, socket.MSG_WAITALL), s.recv(0)]
    try:
        s.recv(1, socket.MSG_DONTWAIT)
    except BlockingIOError as e:
        out.append(e.errno == errno.EAGAIN)
    s.sendmsg([b'ab', b'cd'])
    out.append(s.recvmsg(10)[:3])
    s.detach()
    return out
"
    );
    let expected = "[b'01', b'01234', b'5', 4, b'6789', 2, b'0189', b'23456789', b'', True, \
                    (b'abcd', [], 0)]";
    let config = format!("grants = {{ network = [\"localhost:{port}\", \"127.0.0.1:{port}\"] }}");
    answers(&source, &config, expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_a_server_to_real_clients() {
    let port = free_port();
    let source = format!(
        "
def main():
    server = socket.create_server(('', {port}))
    seen = []
    for n in range(3):
        client, address = server.accept()
        with client:
            seen.append(client.recv(100))
            client.sendall(b'to ' + seen[-1])
    return seen
"
    );
    let peer = std::thread::spawn(move || {
        for name in ["a", "b", "c"] {
            let mut client = connect(port);
            client.write_all(name.as_bytes()).unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).unwrap();
            assert_eq!(answer, format!("to {name}"));
        }
    });
    let config = format!("grants = {{ listen = [{port}] }}");
    answers(&source, &config, "[b'a', b'b', b'c']").await;
    peer.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_the_class_and_number_that_python_programs_look_for() {
    let refused = free_port();
    let source = format!(
        "
def error(call):
    try:
        return call()
    except OSError as e:
        return type(e).__name__, errno.errorcode.get(e.errno), str(e).split('] ')[-1]
def main():
    s = socket.socket()
    out = [error(lambda: s.connect(('127.0.0.1', {refused})))]
    s = socket.socket()
    out.append(error(lambda: s.recv(1)))
    s.close()
    out.append(error(lambda: s.recv(1)))
    s = socket.socket()
    s.setblocking(False)
    out.append(s.connect_ex(('127.0.0.1', {refused})) in (errno.EINPROGRESS, errno.ECONNREFUSED))
    select.select([], [s], [], 5)
    out.append(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED)
    out.append(error(lambda: socket.getaddrinfo('nowhere.invalid', 80))[0])
    out.append(error(lambda: socket.socket(socket.AF_UNIX))[1:])
    a, b = socket.socketpair()
    b.close()
    out.append(error(lambda: [a.send(b'x') for n in range(9)]))
    return '\\n'.join(map(str, out))
"
    );
    let expected = "('ConnectionRefusedError', 'ECONNREFUSED', 'Connection refused')
('OSError', 'ENOTCONN', 'Transport endpoint is not connected')
('OSError', 'EBADF', 'Bad file descriptor')
True
True
gaierror
('EAFNOSUPPORT', 'Unix sockets do not exist here: a plugin reaches other programs over the network')
('BrokenPipeError', 'EPIPE', 'Broken pipe')";
    let config =
        format!("grants = {{ network = [\"127.0.0.1:{refused}\", \"nowhere.invalid:80\"] }}");
    answers(&source, &config, expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_wakes_a_waiter_and_other_threads_run_meanwhile() {
    let source = "
def main():
    a, b = socket.socketpair()
    seen = []
    def wait(what):
        try:
            what()
        except OSError as e:
            seen.append((type(e).__name__, errno.errorcode[e.errno]))
    calls = [lambda: a.recv(1), lambda: select.select([a], [], [])]
    threads = [threading.Thread(target=wait, args=(call,)) for call in calls]
    for thread in threads: thread.start()
    time.sleep(0.2)
    a.close()
    for thread in threads: thread.join(10)
    return sorted(seen), b.recv(1)
";
    answers(
        source,
        "",
        "([('OSError', 'EBADF'), ('OSError', 'EBADF')], b'')",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn timeouts_are_those_of_python() {
    let source = "
def main():
    a, b = socket.socketpair()
    socket.setdefaulttimeout(7.5)
    out = [socket.socket().gettimeout(), a.gettimeout()]
    socket.setdefaulttimeout(None)
    a.settimeout(0.2)
    begun = time.monotonic()
    try:
        a.recv(1)
    except socket.timeout as e:
        out += [str(e), 0.19 < time.monotonic() - begun < 20]
    a.settimeout(0)
    out.append(a.getblocking())
    begun = time.monotonic()
    out.append(select.select([a], [], [], 0.2))
    select.select([], [], [], 0.2)
    out.append(0.38 < time.monotonic() - begun < 20)
    return out
";
    answers(
        source,
        "",
        "[7.5, None, 'timed out', True, False, ([], [], []), True]",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn select_and_the_selectors_wait_for_many_at_once() {
    let port = tcp_peer(echo);
    let source = format!(
        "
def main():
    peers = [socket.create_connection(('127.0.0.1', {port})) for n in range(30)]
    def later():
        time.sleep(0.3)
        peers[17].sendall(b'x')
    threading.Thread(target=later).start()
    used = time.process_time()
    r, w, x = select.select(peers, [], peers, 20)
    out = [peers.index(r[0]), len(r), len(w), len(x), time.process_time() - used < 0.25]
    out.append(len(select.select(peers, peers, [])[1]))
    selector = selectors.DefaultSelector()
    for n, peer in enumerate(peers):
        selector.register(peer, selectors.EVENT_READ, n)
    out += [type(selector).__name__, [(key.data, mask) for key, mask in selector.select(5)]]
    poll = select.poll()
    poll.register(peers[17], select.POLLIN)
    poll.register(peers[3].fileno(), select.POLLIN)
    out.append(poll.poll(1000) == [(peers[17].fileno(), select.POLLIN)])
    gone = peers[3].fileno()
    peers[3].close()
    out.append((gone, select.POLLNVAL) in poll.poll(1000))
    return out
"
    );
    let expected = "[17, 1, 0, 0, True, 30, 'PollSelector', [(17, 1)], True, True]";
    answers(&source, &network(port), expected).await;
}

/// Registering four times as many takes four times as long, not sixteen times.
#[tokio::test(flavor = "multi_thread")]
async fn a_poll_object_takes_any_number_of_descriptors() {
    let source = "
def main():
    def registered(count):
        poll = select.poll()
        begun = time.process_time()
        for fd in range(10000, 10000 + count):
            poll.register(fd, select.POLLIN)
        for fd in reversed(range(10000, 10000 + count)):
            poll.modify(fd, select.POLLOUT)
            poll.unregister(fd)
        return time.process_time() - begun
    few = min(registered(10000) for turn in range(3))
    many = min(registered(40000) for turn in range(3))
    return 'in proportion' if many < 9 * few else 'took %r and %r' % (few, many)
";
    answers(source, &network(1), "in proportion").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn datagrams_come_with_their_sender() {
    let peer = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let port = peer.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut buffer = [0; 2000];
        while let Ok((read, from)) = peer.recv_from(&mut buffer) {
            peer.send_to(&buffer[..read], from).unwrap();
        }
    });
    let source = format!(
        "
def main():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(20)
    s.sendto(b'first', ('127.0.0.1', {port}))
    out = [s.recvfrom(100) == (b'first', ('127.0.0.1', {port}))]
    s.connect(('127.0.0.1', {port}))
    s.send(b'second')
    out.append(s.recv(3))
    s.send(b'')
    out.append(s.recv(3))
    s.send(b'third')
    data, _, flags, source = s.recvmsg(3)
    out += [data, flags == socket.MSG_TRUNC]
    try:
        s.send(bytes(70000))
    except OSError as e:
        out.append(errno.errorcode[e.errno])
    return out
"
    );
    answers(
        &source,
        &network(port),
        "[True, b'sec', b'', b'thi', True, 'EMSGSIZE']",
    )
    .await;
}

/// Sends a text to a port that is, or soon will be, listened on; returns the answer.
pub fn ask(port: u16, text: &str) -> String {
    let mut client = connect(port);
    client.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_joined_left_and_sent_to() {
    let port = free_port();
    let source = format!(
        "
import struct
GROUP = '239.255.77.77'
def main():
    r = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    r.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    r.bind(('', {port}))
    r.settimeout(20)
    here = socket.inet_aton('127.0.0.1')
    member = struct.pack('4s4s', socket.inet_aton(GROUP), here)
    r.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 3)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, b'\\x01')
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, here)
    out = [s.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL)]
    s.sendto(b'hello', (GROUP, {port}))
    data, sender = r.recvfrom(100)
    out += [data, sender == ('127.0.0.1', s.getsockname()[1])]
    # The answer to what was asked of a group comes from anywhere.
    r.sendto(b'answer', sender)
    s.settimeout(20)
    out.append(s.recv(100))
    r.setsockopt(socket.IPPROTO_IP, socket.IP_DROP_MEMBERSHIP, member)
    r.settimeout(0.3)
    s.sendto(b'again', (GROUP, {port}))
    try:
        out.append(r.recv(100))
    except TimeoutError:
        out.append('left')
    try:
        r.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                     struct.pack('4sl', socket.inet_aton('239.255.77.78'), socket.INADDR_ANY))
    except PermissionError as e:
        out.append('add `\"239.255.77.78:{port}\"` to `network`' in str(e))
    return out
"
    );
    let config = format!("grants = {{ network = [\"239.255.77.77:{port}\"], listen = [{port}] }}");
    answers(
        &source,
        &config,
        "[3, b'hello', True, b'answer', 'left', True]",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_version_six_work() {
    let source = "
def main():
    server = socket.create_server(('::1', 0), family=socket.AF_INET6)
    client = socket.create_connection(server.getsockname()[:2], timeout=20)
    peer, address = server.accept()
    peer.sendall(b'six')
    out = [client.recv(10), len(address), address[0], socket.has_dualstack_ipv6()]
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind(('::1', 0))
    t = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    t.bind(('::1', 0))
    t.sendto(b'datagram', s.getsockname())
    out.append(s.recvfrom(100) == (b'datagram', t.getsockname()))
    out.append(socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, 'fe80::1')))
    return out
";
    answers(source, "", "[b'six', 4, '::1', True, True, 'fe80::1']").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_threads_use_one_socket_at_once() {
    let port = tcp_peer(echo);
    let source = format!(
        "
def main():
    s = socket.create_connection(('127.0.0.1', {port}))
    file = s.makefile('rwb')
    lines = []
    def read():
        for line in file:
            lines.append(line)
            if len(lines) == 50: return
    reader = threading.Thread(target=read)
    reader.start()
    for n in range(50):
        s.sendall(b'%d\\n' % n)
        if n % 10 == 0: time.sleep(0.01)
    reader.join(20)
    return lines == [b'%d\\n' % n for n in range(50)]
"
    );
    answers(&source, &network(port), "True").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn descriptors_are_duplicated_passed_on_and_piped() {
    let source = "
def main():
    a, b = socket.socketpair()
    c = a.dup()
    a.close()
    c.sendall(b'dup')
    out = [b.recv(10)]
    d = socket.socket(fileno=c.detach())
    d.sendall(b'fileno')
    out += [b.recv(10), c.fileno(), d.fileno() >= 10000]
    r, w = os.pipe()
    os.write(w, b'pipe')
    out += [select.select([r], [], [], 5)[0] == [r], os.read(r, 10)]
    os.set_blocking(r, False)
    try:
        os.read(r, 1)
    except BlockingIOError:
        out.append('empty')
    os.close(w)
    out.append(os.read(r, 1))
    os.close(r)
    try:
        os.read(r, 1)
    except OSError as e:
        out.append(errno.errorcode[e.errno])
    return out
";
    let expected = "[b'dup', b'fileno', -1, True, True, b'pipe', 'empty', b'', 'EBADF']";
    answers(source, "", expected).await;
}
