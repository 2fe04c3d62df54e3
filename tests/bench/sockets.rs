//! TCP sockets of a plugin's own: throughput, and the latency of small messages.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

use cordon_runtime::engine::Engine;

use crate::Outcome;
use crate::report::Report;
use crate::twins::Twins;

const SECTION: &str = "sockets";
const ROUNDS: usize = 9;

/// Bytes of one figure of throughput.
const BYTES: usize = 64 << 20;

/// Bytes of one `sendall` or `recv`.
const BLOCK: usize = 64 << 10;

/// Messages there and back for one pair of quantiles.
const MESSAGES: usize = 5000;

/// Measures both directions, then the latency.
pub async fn measure(report: &mut Report, engine: &Engine) -> Outcome<()> {
    let port = peer()?;
    let mut twins = Twins::new(engine, "connecting", Some(port)).await?;
    for (order, what) in [
        ("send", "64 MiB with sendall of 64 KiB"),
        ("receive", "64 MiB with recv of 64 KiB"),
    ] {
        let order = format!("connecting {order} {port} {BYTES} {BLOCK}");
        for pair in twins.measure(&order, ROUNDS).await? {
            pair.report(report, SECTION, what, "ms");
            let mebibytes = (BYTES >> 20) as f64;
            pair.rate(report, SECTION, what, mebibytes * 1000.0, "MiB/s");
        }
    }
    let order = format!("connecting echo {port} {MESSAGES} 1");
    let pairs = twins.measure(&order, ROUNDS).await?;
    for (pair, quantile) in pairs.iter().zip(["p50", "p99"]) {
        let what = format!("a byte there and back, {quantile} of {MESSAGES}");
        pair.report(report, SECTION, &what, "us");
    }
    twins.stop().await;
    Ok(())
}

/// The other end of the connections, on threads of its own, until the process ends.
///
/// A connection begins with a letter and a number: `s` takes so many bytes and answers
/// one when it has them, `r` gives so many, `e` gives each byte back.
fn peer() -> Outcome<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    let accept = move || {
        for stream in listener.incoming().flatten() {
            // A connection that fails is seen by the program at its other end.
            std::thread::spawn(move || serve(stream));
        }
    };
    std::thread::Builder::new()
        .name("bench-peer".into())
        .spawn(accept)?;
    Ok(port)
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut letter, mut number) = ([0], [0; 8]);
    stream.read_exact(&mut letter)?;
    stream.read_exact(&mut number)?;
    let number = u64::from_be_bytes(number);
    match &letter {
        b"s" => {
            io::copy(&mut (&mut stream).take(number), &mut io::sink())?;
            stream.write_all(b"k")
        }
        b"r" => {
            let block = vec![b'x'; BLOCK];
            for _ in 0..number / BLOCK as u64 {
                stream.write_all(&block)?;
            }
            Ok(())
        }
        _ => {
            let mut byte = [0];
            for _ in 0..number {
                stream.read_exact(&mut byte)?;
                stream.write_all(&byte)?;
            }
            Ok(())
        }
    }
}
