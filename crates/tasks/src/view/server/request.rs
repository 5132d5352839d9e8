//! Reading a request: a line and headers, of bounded size.

use std::io::{self, Read};
use std::net::IpAddr;
use std::time::Instant;

/// The most that a request's line and headers may have.
const HEAD: usize = 8 << 10;

/// What is asked for.
pub(super) struct Request {
    pub(super) path: String,
    pub(super) query: String,
    /// HEAD, not GET.
    pub(super) head_only: bool,
    host: Option<String>,
}

impl Request {
    /// Whether the reader came by a name of this machine's loopback.
    pub(super) fn host_is_loopback(&self) -> bool {
        let Some(host) = &self.host else {
            return false;
        };
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let name = name.trim_start_matches('[').trim_end_matches(']');
        name.eq_ignore_ascii_case("localhost")
            || name
                .parse()
                .is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

/// Reads a request; the status to answer with, if it is none that has an answer.
pub(super) fn read(
    stream: &mut impl Read,
    deadline: Instant,
) -> io::Result<Result<Request, &'static str>> {
    let mut head = Vec::new();
    let mut part = [0; 1024];
    loop {
        let count = stream.read(&mut part)?;
        head.extend_from_slice(&part[..count]);
        match parse(&head) {
            Some(outcome) => return Ok(outcome),
            None if head.len() > HEAD => return Ok(Err("431 Request Header Fields Too Large")),
            None if count == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            None if Instant::now() >= deadline => return Err(io::ErrorKind::TimedOut.into()),
            None => {}
        }
    }
}

/// `None` while the request is not whole.
fn parse(head: &[u8]) -> Option<Result<Request, &'static str>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return None,
        Err(_) => return Some(Err("400 Bad Request")),
    }
    let head_only = match request.method {
        Some("GET") => false,
        Some("HEAD") => true,
        _ => return Some(Err("405 Method Not Allowed")),
    };
    let target = request.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let host = request
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("host"));
    let host = host.and_then(|header| std::str::from_utf8(header.value).ok());
    Some(Ok(Request {
        path: path.to_owned(),
        query: query.to_owned(),
        head_only,
        host: host.map(|host| host.trim().to_owned()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(host: &str) -> bool {
        let text = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        parse(text.as_bytes())
            .unwrap()
            .ok()
            .unwrap()
            .host_is_loopback()
    }

    #[test]
    fn only_names_of_the_loopback_are_its_own() {
        for own in [
            "localhost:6016",
            "127.0.0.1",
            "127.0.0.1:80",
            "[::1]:6016",
            "LocalHost",
        ] {
            assert!(host(own), "{own}");
        }
        for other in ["example.org", "127.0.0.1.example.org:80", "10.0.0.1", ""] {
            assert!(!host(other), "{other}");
        }
    }
}
