//! A client of the API and a clock, beside an attack: how long answers take, how busy the
//! machine itself is, and how much memory the process has at most.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cordon_runtime::instance::histogram::Histogram;

use crate::support::private_bytes;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks for each request, and for each look at the memory, which takes milliseconds.
const LOOKS: u32 = 3;
const MEMORY_LOOKS: u32 = 10;

const REQUEST: &[u8] = b"GET /json.htm?type=command&param=getversion HTTP/1.1\r\n\
    Host: 127.0.0.1\r\nConnection: close\r\n\r\n";

/// The observations.
#[derive(Default)]
pub struct Seen {
    /// How late a thread that does nothing else woke up: the machine causes this delay,
    /// whatever the hub does.
    pub machine: Histogram,
    /// How long answers of the API took.
    pub answers: Histogram,
    /// Requests without an answer.
    pub lost: AtomicU64,
    /// Most private memory of the process, in bytes.
    pub peak: AtomicU64,
}

/// The threads that look, until this is dropped.
pub struct Watch {
    pub seen: Arc<Seen>,
    ended: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Watch {
    /// Looks at this process, and at the API at this address.
    pub fn begin(api: SocketAddr) -> Self {
        let (seen, ended) = (Arc::<Seen>::default(), Arc::<AtomicBool>::default());
        let clock = {
            let (seen, ended) = (Arc::clone(&seen), Arc::clone(&ended));
            std::thread::spawn(move || {
                for look in 0_u32.. {
                    let begun = Instant::now();
                    std::thread::sleep(PAUSE);
                    seen.machine.record(begun.elapsed().saturating_sub(PAUSE));
                    let over = ended.load(Ordering::Relaxed);
                    if over || look % MEMORY_LOOKS == 0 {
                        seen.peak.fetch_max(private_bytes(), Ordering::Relaxed);
                    }
                    if over {
                        return;
                    }
                }
            })
        };
        let client = {
            let (seen, ended) = (Arc::clone(&seen), Arc::clone(&ended));
            std::thread::spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    match ask(api) {
                        Ok(()) => seen.answers.record(begun.elapsed()),
                        Err(_) => drop(seen.lost.fetch_add(1, Ordering::Relaxed)),
                    }
                    std::thread::sleep(PAUSE * LOOKS);
                }
            })
        };
        Self {
            seen,
            ended,
            threads: vec![clock, client],
        }
    }

    /// Stops looking.
    pub fn end(&mut self) -> Arc<Seen> {
        self.ended.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
        Arc::clone(&self.seen)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

fn ask(api: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(api)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(REQUEST)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.starts_with("HTTP/1.1 200") {
        true => Ok(()),
        false => Err(std::io::Error::other(answer)),
    }
}
