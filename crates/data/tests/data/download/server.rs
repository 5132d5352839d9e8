//! A small HTTP server on the loopback that can misbehave. The end-to-end tests use it too.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What a client asked for.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// `GET`, or what else.
    pub(crate) method: String,
    pub(crate) path: String,
    /// Headers, by their names in lower case.
    pub(crate) headers: HashMap<String, String>,
    /// How many requests for the same path came before.
    pub(crate) nth: usize,
}

impl Request {
    /// Where the range starts that was asked for.
    pub(crate) fn range_start(&self) -> Option<usize> {
        let range = self.headers.get("range")?.strip_prefix("bytes=")?;
        range.strip_suffix('-')?.parse().ok()
    }
}

/// What a client gets.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    declared: Option<u64>,
    sent: usize,
    stalls: bool,
    pause: Duration,
}

impl Reply {
    pub(crate) fn new(status: u16, body: &[u8]) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.to_vec(),
            declared: Some(body.len() as u64),
            sent: body.len(),
            stalls: false,
            pause: Duration::ZERO,
        }
    }

    /// A file, or the rest of it, as a good server sends it.
    pub(crate) fn file(request: &Request, content: &[u8], tag: &str) -> Self {
        let tag = format!("\"{tag}\"");
        let same = request
            .headers
            .get("if-range")
            .is_none_or(|given| *given == tag);
        let total = content.len();
        match request.range_start().filter(|_| same) {
            Some(start) if start >= total => {
                Self::new(416, b"").header("content-range", &format!("bytes */{total}"))
            }
            Some(start) => {
                let range = format!("bytes {start}-{}/{total}", total - 1);
                Self::new(206, &content[start..]).header("content-range", &range)
            }
            None => Self::new(200, content),
        }
        .header("etag", &tag)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Cuts the connection after so many bytes of the body.
    pub(crate) fn cut_after(mut self, bytes: usize) -> Self {
        self.sent = bytes.min(self.body.len());
        self
    }

    /// Falls silent after so many bytes of the body, and keeps the connection.
    pub(crate) fn stall_after(mut self, bytes: usize) -> Self {
        self.stalls = true;
        self.cut_after(bytes)
    }

    /// Claims another length than the body has; none at all with `None`.
    pub(crate) fn declare(mut self, length: Option<u64>) -> Self {
        self.declared = length;
        self
    }

    /// Sends 1000 bytes at a time, with a pause after each.
    pub(crate) fn slowly(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    log: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers each request as `answer` says.
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the loopback has a free port");
        let address = listener.local_addr().expect("it has an address");
        let (log, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let shared = (Arc::clone(&log), Arc::clone(&stop));
        let answer = Arc::new(answer);
        let thread = std::thread::spawn(move || {
            let (log, stop) = shared;
            let mut connections = Vec::new();
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let (log, stop, answer) =
                    (Arc::clone(&log), Arc::clone(&stop), Arc::clone(&answer));
                connections.push(std::thread::spawn(move || {
                    if let Ok(stream) = stream {
                        // A client that goes away is no fault of the server's.
                        let _ = serve(&stream, &log, &stop, &*answer);
                    }
                }));
            }
            for connection in connections {
                let _ = connection.join();
            }
        });
        Self {
            address,
            log,
            stop,
            thread: Some(thread),
        }
    }

    /// Serves files by their paths, with an entity tag each.
    pub(crate) fn of_files(files: &[(&str, &[u8])]) -> Self {
        let files: HashMap<String, Vec<u8>> = files
            .iter()
            .map(|(path, content)| ((*path).to_owned(), content.to_vec()))
            .collect();
        Self::start(move |request| match files.get(&request.path) {
            Some(content) => Reply::file(request, content, "1"),
            None => Reply::new(404, b"not here"),
        })
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What was asked for so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.log.lock().expect("no server thread panics").clone()
    }

    /// Where the ranges of all requests started.
    pub(crate) fn ranges(&self) -> Vec<Option<usize>> {
        self.requests().iter().map(Request::range_start).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(
    stream: &TcpStream,
    log: &Mutex<Vec<Request>>,
    stop: &AtomicBool,
    answer: &dyn Fn(&Request) -> Reply,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.set_write_timeout(Some(Duration::from_secs(20)))?;
    let Some(mut request) = read_request(stream)? else {
        return Ok(());
    };
    {
        let mut log = log.lock().expect("no server thread panics");
        request.nth = log.iter().filter(|old| old.path == request.path).count();
        log.push(request.clone());
    }
    let reply = answer(&request);
    let mut out = stream;
    write!(
        out,
        "HTTP/1.1 {} Status\r\nconnection: close\r\n",
        reply.status
    )?;
    for (name, value) in &reply.headers {
        write!(out, "{name}: {value}\r\n")?;
    }
    if let Some(length) = reply.declared {
        write!(out, "content-length: {length}\r\n")?;
    }
    write!(out, "\r\n")?;
    let piece = if reply.pause.is_zero() {
        usize::MAX
    } else {
        1000
    };
    for piece in reply.body[..reply.sent].chunks(piece) {
        out.write_all(piece)?;
        out.flush()?;
        std::thread::sleep(reply.pause);
    }
    // Silence lasts until the client leaves, or the test is over.
    let mut left = if reply.stalls { 600 } else { 0 };
    stream.set_read_timeout(Some(Duration::from_millis(50)))?;
    while left > 0 && !stop.load(Ordering::SeqCst) {
        left -= 1;
        if matches!(stream.peek(&mut [0]), Ok(0)) {
            break;
        }
    }
    Ok(())
}

fn read_request(stream: &TcpStream) -> std::io::Result<Option<Request>> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let (method, path) = (method.to_owned(), path.to_owned());
    let mut headers = HashMap::new();
    for _ in 0..100 {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    Ok(Some(Request {
        method,
        path,
        headers,
        nth: 0,
    }))
}
