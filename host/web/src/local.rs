//! Serves HTTP on a Unix socket, for the hub's own account and the administrator alone.
//!
//! The file is readable by its owner only, and every connection is asked for its account as well.
//! So there are no users and no browsers here. Connections have places and a time for headers; who
//! may connect could do anything to the hub anyway, so nobody is given up for others.

use std::convert::Infallible;
use std::fs::Permissions;
use std::future::Future;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener as StdListener;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::server::{self, ACCEPT_PAUSE, GRACE, HEADERS, MAX_HEADERS};
use cordon_base::error::EngineError;
use cordon_base::private;

/// Bytes of a path that the system takes for a socket.
pub const MAX_PATH: usize = 107;

/// Connections at a time. Others wait in the system's queue.
const CONNECTIONS: usize = 64;

/// A Unix socket that is listened on. Its file goes when this is dropped.
pub struct LocalListener {
    listener: UnixListener,
    /// Removed with the listener.
    _file: SocketFile,
}

/// The file of a socket, as it was made.
struct SocketFile {
    path: PathBuf,
    /// Device and number.
    made: (u64, u64),
}

impl LocalListener {
    /// Listens on this path, in the place of a socket that nobody listens on any more. To be called
    /// within a runtime.
    ///
    /// # Errors
    /// [`EngineError::Config`] for a path that is too long, for a file that is no socket and for the
    /// socket of another hub; [`EngineError::Io`] when the system refuses.
    pub fn bind(path: &Path) -> Result<Self, EngineError> {
        let shown = path.display();
        let io = |error| EngineError::io(format!("cannot listen on {shown}"), error);
        let length = path.as_os_str().len();
        if length > MAX_PATH {
            return Err(EngineError::Config(format!(
                "the socket {shown} has a path of {length} bytes, and the system allows {MAX_PATH}; \
                 name a shorter one with `socket` under [hub], or none with `socket = \"\"`"
            )));
        }
        make_way(path)?;
        let listener = StdListener::bind(path).map_err(io)?;
        let file = SocketFile::of(path).map_err(io)?;
        let private = Permissions::from_mode(private::FILE);
        std::fs::set_permissions(path, private).map_err(io)?;
        listener.set_nonblocking(true).map_err(io)?;
        let listener = UnixListener::from_std(listener).map_err(io)?;
        Ok(Self {
            listener,
            _file: file,
        })
    }

    /// Serves until `shutdown` is done, then lets running exchanges end for at most three seconds.
    pub async fn serve(self, router: Router, shutdown: impl Future<Output = ()>) {
        let stop = CancellationToken::new();
        let connections = TaskTracker::new();
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut shutdown = pin!(shutdown);
        loop {
            let next = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (self.accept().await, place)
            };
            let (stream, place) = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = next => accepted,
            };
            // The mode of the file keeps the others out; this holds if somebody changes it.
            if !is_trusted(&stream) {
                continue;
            }
            let serving = serve(stream, router.clone(), stop.clone());
            connections.spawn(async move {
                let _place = place;
                serving.await;
            });
        }
        drop(self);
        stop.cancel();
        connections.close();
        let _ = tokio::time::timeout(GRACE, connections.wait()).await;
    }

    /// The next connection, whatever the system says in the meantime.
    async fn accept(&self) -> UnixStream {
        loop {
            let error = match self.listener.accept().await {
                Ok((stream, _)) => return stream,
                Err(error) => error,
            };
            if server::is_exhaustion(&error) {
                // An operator has to reach a hub whose files are used up.
                let accepted = server::accept_with_reserve(&self.listener);
                let stream = accepted.and_then(|it| UnixStream::from_std(it.into()));
                if let Ok(stream) = stream {
                    return stream;
                }
            }
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    }
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        let found = std::fs::symlink_metadata(path)?;
        Ok(Self {
            path: path.to_owned(),
            made: (found.dev(), found.ino()),
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Not the socket of a hub that came after this one.
        let found = std::fs::symlink_metadata(&self.path);
        if found.is_ok_and(|found| (found.dev(), found.ino()) == self.made) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Removes a socket that nobody listens on.
fn make_way(path: &Path) -> Result<(), EngineError> {
    let shown = path.display();
    let io = |error| EngineError::io(format!("cannot listen on {shown}"), error);
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(error)),
    };
    if !found.file_type().is_socket() {
        return Err(EngineError::Config(format!(
            "{shown} is there and is no socket; move it away, or name another path with `socket` \
             under [hub]"
        )));
    }
    match knock(path) {
        Err(Errno::CONNREFUSED) => std::fs::remove_file(path).map_err(io),
        // A full queue has somebody behind it, too.
        Ok(()) | Err(Errno::AGAIN) => Err(EngineError::Config(format!(
            "another hub listens on {shown}; stop it, or name another path with `socket` under [hub]"
        ))),
        Err(error) => Err(io(error.into())),
    }
}

/// Connects without waiting.
fn knock(path: &Path) -> Result<(), Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)
}

/// Whether the other end is of the hub's own account or the administrator's.
fn is_trusted(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    let peer = stream.peer_cred().map(|peer| peer.uid());
    peer.is_ok_and(|peer| peer == own || peer == 0)
}

async fn serve(stream: UnixStream, router: Router, stop: CancellationToken) {
    let service = service_fn(|request| {
        let router = router.clone();
        async move { Ok::<_, Infallible>(answer(router, request).await) }
    });
    let serving = http1::Builder::new()
        .half_close(true)
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = pin!(serving);
    tokio::select! {
        _ = serving.as_mut() => return,
        () = stop.cancelled() => serving.as_mut().graceful_shutdown(),
    }
    let _ = serving.await;
}

/// The answer of the router, which a task of its own finds: what was begun is done, also when the
/// connection ends.
async fn answer(router: Router, request: Request<Incoming>) -> Response {
    match tokio::spawn(router.oneshot(request.map(Body::new))).await {
        Ok(Ok(response)) => response,
        // The router never fails.
        Ok(Err(never)) => match never {},
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::Duration;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn ask(path: &Path) -> String {
        let mut stream = UnixStream::connect(path).await.unwrap();
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn refusal(path: &Path) -> String {
        LocalListener::bind(path).err().unwrap().to_string()
    }

    #[tokio::test]
    async fn a_socket_is_its_owners_alone_and_goes_with_its_hub() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = LocalListener::bind(&path).unwrap();
        let found = std::fs::metadata(&path).unwrap();
        assert_eq!(found.mode() & 0o777, 0o600);
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let router = Router::new().route("/", get(|| async { "hello" }));
        let serving = tokio::spawn(listener.serve(router, async {
            let _ = ended.await;
        }));
        assert!(ask(&path).await.ends_with("\r\n\r\nhello"));
        // A second hub does not take it away.
        let refused = refusal(&path);
        assert!(refused.contains("another hub listens on"), "{refused}");
        assert!(ask(&path).await.ends_with("hello"));
        drop(end);
        serving.await.unwrap();
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_socket_that_was_left_behind_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        drop(StdListener::bind(&path).unwrap());
        assert!(path.exists());
        let listener = LocalListener::bind(&path).unwrap();
        // A later one in its place is not this one's to remove.
        std::fs::remove_file(&path).unwrap();
        let _other = StdListener::bind(&path).unwrap();
        drop(listener);
        assert!(path.exists());
    }

    #[tokio::test]
    async fn files_and_long_paths_are_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        std::fs::write(&path, "mine").unwrap();
        let refused = refusal(&path);
        assert!(refused.contains("is no socket; move it away"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        let room = MAX_PATH - folder.path().as_os_str().len() - 1;
        let fits = folder.path().join("x".repeat(room));
        assert!(LocalListener::bind(&fits).is_ok());
        let refused = refusal(&folder.path().join("x".repeat(room + 1)));
        assert!(refused.contains("108 bytes") && refused.contains("`socket = \"\"`"));
    }

    #[tokio::test]
    async fn more_connections_than_places_wait_for_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = LocalListener::bind(&path).unwrap();
        let router = Router::new().route("/", get(|| async { "hello" }));
        tokio::spawn(listener.serve(router, std::future::pending()));
        let mut idle = Vec::new();
        for _ in 0..CONNECTIONS {
            idle.push(UnixStream::connect(&path).await.unwrap());
        }
        let waiting = tokio::time::timeout(Duration::from_millis(200), ask(&path));
        assert!(waiting.await.is_err());
        idle.pop();
        assert!(ask(&path).await.ends_with("hello"));
    }
}
