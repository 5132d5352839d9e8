//! The page of a run that is under way, over HTTP.
//!
//! A handful of fixed routes, answered from memory: no route reads a file. Each reader has a
//! thread of its own, there are few of them, and each has a deadline; training only swaps the
//! snapshot that they are given.

mod request;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::store::error::TaskError;
use request::Request;

/// Readers at the same time, at most; more are turned away.
const READERS: usize = 16;

/// A reader that sends nothing, or takes nothing, for so long is left.
const SILENCE: Duration = Duration::from_secs(5);

/// A reader has so long in all.
const DEADLINE: Duration = Duration::from_secs(30);

/// What the page is given to read.
#[derive(Default)]
struct Snapshot {
    version: u64,
    page: Arc<str>,
    data: Arc<str>,
    grids: BTreeMap<u64, Grid>,
}

/// A small sample grid, JPEG.
type Grid = Arc<[u8]>;

struct Shared {
    snapshot: RwLock<Snapshot>,
    readers: AtomicUsize,
    closed: AtomicBool,
    address: SocketAddr,
}

/// A page about a run, served while the run goes on; see [`train`](crate::train()).
pub struct LivePage {
    shared: Arc<Shared>,
}

impl LivePage {
    /// Takes `address`, and answers there from now on; port 0 takes any that is free. Give a
    /// loopback address, unless others are to see the run: there is no password.
    ///
    /// # Errors
    ///
    /// [`TaskError::Serve`] if the address cannot be taken.
    pub fn bind(address: SocketAddr) -> Result<Self, TaskError> {
        let fault = |source| TaskError::Serve { address, source };
        let listener = TcpListener::bind(address).map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        let shared = Arc::new(Shared {
            snapshot: RwLock::default(),
            readers: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            address,
        });
        let accepting = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("live page".to_owned())
            .spawn(move || accept(&listener, &accepting))
            .map_err(fault)?;
        Ok(Self { shared })
    }

    /// Where the page is.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Replaces what readers are given.
    pub(super) fn publish(
        &self,
        version: u64,
        page: String,
        data: String,
        grids: BTreeMap<u64, Grid>,
    ) {
        let new = Snapshot {
            version,
            page: page.into(),
            data: data.into(),
            grids,
        };
        *self
            .shared
            .snapshot
            .write()
            .unwrap_or_else(PoisonError::into_inner) = new;
    }
}

impl Drop for LivePage {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for readers, if it still can be reached.
        let mut address = self.shared.address;
        if address.ip().is_unspecified() {
            let loopback: IpAddr = match address.is_ipv4() {
                true => [127, 0, 0, 1].into(),
                false => [0, 0, 0, 0, 0, 0, 0, 1].into(),
            };
            address.set_ip(loopback);
        }
        let _ = TcpStream::connect_timeout(&address, Duration::from_millis(200));
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    loop {
        let accepted = listener.accept();
        if shared.closed.load(Ordering::SeqCst) {
            return;
        }
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, say: what is there may go away.
            std::thread::sleep(Duration::from_millis(100));
            continue;
        };
        if shared.readers.fetch_add(1, Ordering::SeqCst) >= READERS {
            shared.readers.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let place = Place(Arc::clone(shared));
        // Without a thread the reader is turned away; its place is free again.
        let _ = std::thread::Builder::new()
            .name("live page reader".to_owned())
            .spawn(move || {
                // A reader that goes away is no fault of ours.
                let _ = answer(stream, &place.0);
            });
    }
}

/// One of the readers' places, free again when it is dropped.
struct Place(Arc<Shared>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.readers.fetch_sub(1, Ordering::SeqCst);
    }
}

fn answer(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let deadline = Instant::now() + DEADLINE;
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    let response = match request::read(&mut stream, deadline)? {
        Ok(request) => respond(&request, shared),
        Err(status) => Response::text(status),
    };
    response.write(&mut stream, deadline)?;
    // The reader sees the end even if it sent more than was read.
    stream.shutdown(Shutdown::Write)
}

enum Body {
    Text(Arc<str>),
    Bytes(Grid),
}

struct Response {
    status: &'static str,
    kind: &'static str,
    body: Body,
    head_only: bool,
}

impl Response {
    fn text(status: &'static str) -> Self {
        Self {
            status,
            kind: "text/plain; charset=utf-8",
            body: Body::Text(format!("{status}\n").into()),
            head_only: false,
        }
    }

    fn write(&self, stream: &mut TcpStream, deadline: Instant) -> io::Result<()> {
        let body = match &self.body {
            Body::Text(text) => text.as_bytes(),
            Body::Bytes(bytes) => bytes,
        };
        // Of an answer without content, HTTP wants no length.
        let length = match self.status.starts_with("204") {
            true => String::new(),
            false => format!("Content-Length: {}\r\n", body.len()),
        };
        let head = format!(
            "HTTP/1.1 {}\r\n{length}Content-Type: {}\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n\
             Connection: close\r\n\r\n",
            self.status, self.kind,
        );
        stream.write_all(head.as_bytes())?;
        let body = if self.head_only { &[] } else { body };
        for part in body.chunks(1 << 14) {
            if Instant::now() >= deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            stream.write_all(part)?;
        }
        Ok(())
    }
}

fn respond(request: &Request, shared: &Shared) -> Response {
    // Another site whose name was made to lead here must not read the run.
    if shared.address.ip().is_loopback() && !request.host_is_loopback() {
        return Response::text("421 Misdirected Request");
    }
    let snapshot = shared
        .snapshot
        .read()
        .unwrap_or_else(PoisonError::into_inner);
    let (kind, body) = match request.path.as_str() {
        "/" => (
            "text/html; charset=utf-8",
            Body::Text(Arc::clone(&snapshot.page)),
        ),
        "/data.json" if request.query == format!("v={}", snapshot.version) => {
            return Response {
                body: Body::Text("".into()),
                head_only: true,
                ..Response::text("204 No Content")
            };
        }
        "/data.json" => ("application/json", Body::Text(Arc::clone(&snapshot.data))),
        path => {
            let name = path
                .strip_prefix("/grids/")
                .and_then(|path| path.strip_suffix(".jpg"));
            let grid = name.and_then(|name| snapshot.grids.get(&name.parse().ok()?));
            match grid {
                Some(grid) => ("image/jpeg", Body::Bytes(Arc::clone(grid))),
                None => return Response::text("404 Not Found"),
            }
        }
    };
    Response {
        status: "200 OK",
        kind,
        body,
        head_only: request.head_only,
    }
}

#[cfg(test)]
mod tests;
