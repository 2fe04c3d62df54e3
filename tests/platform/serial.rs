//! The package `serial`, against pseudo-terminals.
//!
//! A pseudo-terminal keeps speed, stop bits, flow control and the kind of parity
//! as they were set; the kernel does not let it have other than eight bits or a
//! parity that is on.

use crate::support::{Bench, PluginText};
use crate::terminal::Terminal;

async fn start(bench: &mut Bench, source: &str, config: &str) {
    let source = format!(
        "
import errno, threading, time
import serial, serial.threaded, serial.tools.list_ports
{source}
"
    );
    bench
        .start(PluginText {
            name: "Serial",
            source: &source,
            config,
        })
        .await;
}

fn granted(terminal: &Terminal) -> String {
    format!("grants = {{ serial = [{:?}] }}", terminal.path)
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_arrive_at_the_port() {
    let mut terminal = Terminal::new();
    let mut bench = Bench::new();
    let source = format!(
        "
def onStart():
    global port
    port = serial.Serial({:?}, 19200, stopbits=serial.STOPBITS_TWO, rtscts=True)
    print('one', port.name, port.is_open)
    port.read(1)
    port.baudrate = 115200
    port.stopbits = 1
    port.rtscts = False
    port.xonxoff = True
    port.parity = serial.PARITY_ODD
    print('two')
    port.read(1)
    port.apply_settings({{'baudrate': 2400, 'xonxoff': False, 'parity': 'N'}})
    print('three')
    for name, value in (('parity', 'M'), ('stopbits', 1.5), ('baudrate', -1), ('bytesize', 9), ('timeout', -1)):
        try: setattr(port, name, value); print('took', name)
        except ValueError: print('refused %s, still %s' % (name, getattr(port, name)))
    port.close()
    try: port.read(1)
    except serial.PortNotOpenError as e: print('closed:', e)
",
        terminal.path
    );
    start(&mut bench, &source, &granted(&terminal)).await;
    bench.line(&format!("one {} True", terminal.path)).await;
    assert_eq!(terminal.ask("settings"), "19200 stop2 rtscts");
    terminal.write(b"x");
    bench.line("two").await;
    assert_eq!(terminal.ask("settings"), "115200 odd xon xoff");
    terminal.write(b"x");
    bench.line("three").await;
    assert_eq!(terminal.ask("settings"), "2400");
    for line in [
        "refused parity, still N",
        "refused stopbits, still 1",
        "refused baudrate, still 2400",
        "refused bytesize, still 8",
        "refused timeout, still None",
        "closed: Attempting to use a port that is not open",
    ] {
        bench.line(line).await;
    }
}

/// Plugins look whether a port is there, and some open it as a file.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_opened_as_a_file_is_refused_with_the_way_to_open_it() {
    let terminal = Terminal::new();
    let mut bench = Bench::new();
    let source = format!(
        "
import os, stat
def onStart():
    path = {:?}
    for name in (path, '/dev/ttyNOWHERE0'):
        print(os.path.exists(name), os.path.exists(name) and stat.S_ISCHR(os.stat(name).st_mode))
        for what in (lambda: os.open(name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK), lambda: open(name, 'r+b', 0)):
            try: what()
            except OSError as e: print(errno.errorcode[e.errno], e.filename == name, e.strerror)
    try: open('/dev/mem')
    except FileNotFoundError as e: print('no', e.filename)
    with serial.Serial(path) as port: print('opened', port.is_open)
",
        terminal.path
    );
    start(&mut bench, &source, &granted(&terminal)).await;
    for (path, there) in [
        (terminal.path.as_str(), "True True"),
        ("/dev/ttyNOWHERE0", "False False"),
    ] {
        bench.line(there).await;
        for _ in 0..2 {
            let way = format!(
                "ENOTSUP True serial ports are no files here: `import serial` and \
                 serial.Serial('{path}') open it, with `serial = [\"{path}\"]` under"
            );
            bench.line(&way).await;
        }
    }
    bench.line("no /dev/mem").await;
    bench.line("opened True").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_go_both_ways_with_timeouts() {
    let mut terminal = Terminal::new();
    let mut bench = Bench::new();
    let source = format!(
        "
def onStart():
    with serial.Serial({:?}, timeout=0.1, write_timeout=0.5) as port:
        begun = time.monotonic()
        print('nothing', port.read(4), time.monotonic() - begun >= 0.1)
        print('wrote', port.write(bytearray(b'to the peer')), port.flush())
        port.timeout = 30
        print('line', port.readline(), port.read(3))
        print('until', port.read_until(b'>'), port.readline(2))
        while port.in_waiting < 3: time.sleep(0.01)
        print('waiting', port.in_waiting, port.out_waiting)
        port.reset_input_buffer()
        print('dropped', port.in_waiting, port.inWaiting(), port.isOpen())
        port.inter_byte_timeout = 0.2
        print('between', port.read(100))
        port.inter_byte_timeout, port.timeout = None, 0
        print('now', port.read(10))
        try:
            while True: port.write(bytes(100000))
        except serial.SerialTimeoutException as e: print('full:', e)
    print('closed', port.is_open)
",
        terminal.path
    );
    start(&mut bench, &source, &granted(&terminal)).await;
    bench.line("nothing b'' True").await;
    bench.line("wrote 11 None").await;
    let read = terminal.ask("read 11");
    assert_eq!(read, "746f207468652070656572");
    terminal.write(b"first\nabc");
    bench.line("line b'first\\n' b'abc'").await;
    terminal.write(b"12>ab");
    bench.line("until b'12>' b'ab'").await;
    terminal.write(b"old");
    bench.line("waiting 3 0").await;
    bench.line("dropped 0 0 True").await;
    terminal.write(b"some");
    bench.line("between b'some'").await;
    bench.line("now b''").await;
    bench.line("full: Write timeout").await;
    bench.line("closed False").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_blocks_its_thread_only_and_is_woken() {
    let mut terminal = Terminal::new();
    let mut bench = Bench::new();
    let source = format!(
        "
class Lines(serial.threaded.LineReader):
    TERMINATOR = b'\\n'
    def connection_made(self, transport): super().connection_made(transport); print('made')
    def handle_line(self, line): print('line', line); self.write_line('echo ' + line)
    def connection_lost(self, exc): print('lost', exc)

def onStart():
    port = serial.Serial({:?})
    def reader():
        print('reader begins')
        print('cancelled', port.read(10))
        try: port.read(10)
        except serial.SerialException as e: print('woken', type(e).__name__)
    thread = threading.Thread(target=reader); thread.start()
    for beat in range(5): time.sleep(0.02)
    print('others run')
    port.cancel_read(); time.sleep(0.2); port.close(); thread.join()
    global reading
    reading = serial.threaded.ReaderThread(serial.Serial({:?}), Lines)
    reading.start(); reading.connect()
def onStop():
    reading.close(); print('stopped')
",
        terminal.path, terminal.path
    );
    start(&mut bench, &source, &granted(&terminal)).await;
    bench.line("others run").await;
    bench.line("cancelled b''").await;
    bench.line("woken PortNotOpenError").await;
    bench.line("made").await;
    terminal.write(b"hello\n");
    bench.line("line hello").await;
    assert_eq!(terminal.ask("read 11"), "6563686f2068656c6c6f0a");
    bench.hub.stop().await;
    bench.line("lost None").await;
    bench.line("stopped").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_granted_ports_exist() {
    let (terminal, other, typed) = (Terminal::new(), Terminal::new(), Terminal::new());
    let mut bench = Bench::new();
    let source = format!(
        "
def onStart():
    print('ports', sorted(p.device for p in serial.tools.list_ports.comports()))
    for path in ({:?}, '/dev/null', '/etc/passwd', '/dev/ttyNONE', {:?}):
        try: serial.Serial(path).close(); print('opened', path)
        except serial.SerialException as e: print('refused', path, errno.errorcode[e.errno], e.strerror)
",
        other.path, typed.path
    );
    let config = format!(
        "grants = {{ serial = [{:?}, \"/dev/ttyNONE\"] }}\nparameters = {{ SerialPort = {:?} }}",
        terminal.path, typed.path
    );
    let text = format!(
        "\"\"\"\n<plugin key=\"Serial\" name=\"Serial\" version=\"1\" author=\"tests\">\n<params>\n\
         <param field=\"SerialPort\" label=\"s\"/>\n</params>\n</plugin>\n\"\"\"\nimport Domoticz\n\
         import errno, serial, serial.tools.list_ports\n{source}"
    );
    bench.start_whole("Serial", &text, &config).await;
    let mut paths = [terminal.path.clone(), typed.path.clone()];
    paths.sort();
    bench
        .line(&format!("ports ['{}', '{}']", paths[0], paths[1]))
        .await;
    let denied = format!(
        "refused {} EACCES could not open port {}: denied: opening the serial \
         port {}; to allow it, add `\"{}\"` to `serial` under [hardware.grants] of the \
         [[hardware]] with name = \"Serial\"",
        other.path, other.path, other.path, other.path
    );
    bench.line(&denied).await;
    bench.line("refused /dev/null EACCES").await;
    bench.line("refused /etc/passwd EACCES").await;
    bench.line("refused /dev/ttyNONE ENOENT").await;
    bench.line(&format!("opened {}", typed.path)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_gone_is_an_error() {
    let mut terminal = Terminal::new();
    let mut bench = Bench::new();
    let source = format!(
        "
def onStart():
    port = serial.Serial({:?})
    print('open')
    try: port.read(1)
    except serial.SerialException as e: print('gone', errno.errorcode[e.errno])
    loop = serial.serial_for_url('loop://', timeout=1)
    loop.write(b'around'); print('loop', loop.read(6))
    try: serial.serial_for_url('nonsense://x')
    except ValueError as e: print('url:', e)
",
        terminal.path
    );
    start(&mut bench, &source, &granted(&terminal)).await;
    bench.line("open").await;
    terminal.ask("hangup");
    bench.line("gone EIO").await;
    bench.line("loop b'around'").await;
    bench.line("url: invalid URL").await;
}
