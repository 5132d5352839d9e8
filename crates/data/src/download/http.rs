//! Makes one request and interprets the answer.

use std::io::{self, Read};
use std::time::{Duration, SystemTime};

use jiff::fmt::rfc2822::DateTimeParser;
use ureq::http::{HeaderMap, StatusCode, header};
use ureq::{Agent, Body, Proxy};

use super::Patience;

/// Why a request failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The fault may pass: try again, after `wait` if the server named a time.
    Passing {
        what: String,
        wait: Option<Duration>,
    },
    /// The fault will not pass.
    Lasting { what: String },
}

/// A server's answer to a request for a file, or for the rest of one.
pub(super) struct Answer {
    /// Where in the file the body starts.
    pub(super) start: u64,
    /// Bytes of the whole file, if the server says.
    pub(super) total: Option<u64>,
    /// See [`State::validator`](super::part::State::validator).
    pub(super) validator: Option<String>,
    pub(super) body: Box<dyn Read>,
}

/// The outcome of a request.
pub(super) enum Outcome {
    Body(Answer),
    /// Nothing is left to send: the file ends where the requested rest begins, or before. Its size, if
    /// the server says.
    NothingLeft(Option<u64>),
}

/// The rest of a file that is requested.
pub(super) struct Rest<'a> {
    pub(super) start: u64,
    pub(super) validator: Option<&'a str>,
}

pub(super) struct Client {
    patience: Patience,
    use_proxies: bool,
}

impl Client {
    pub(super) fn new(patience: Patience, use_proxies: bool) -> Self {
        Self {
            patience,
            use_proxies,
        }
    }

    /// Requests a file, or the rest of one if the file is still the same.
    pub(super) fn get(&self, address: &str, rest: Option<&Rest<'_>>) -> Result<Outcome, Fault> {
        let mut request = self
            .agent(address)?
            .get(address)
            // No compression on the way: ranges have to be of the archive's own bytes.
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some(rest) = rest {
            request = request.header(header::RANGE, format!("bytes={}-", rest.start));
            if let Some(validator) = rest.validator {
                request = request.header(header::IF_RANGE, validator);
            }
        }
        let response = request.call().map_err(fault)?;
        let (parts, body) = response.into_parts();
        let headers = &parts.headers;
        match parts.status {
            StatusCode::OK => answer(headers, body, 0, None),
            StatusCode::PARTIAL_CONTENT => {
                let range = text(headers, header::CONTENT_RANGE).and_then(ContentRange::parse);
                match (range, rest) {
                    (Some(ContentRange { start, total }), Some(rest)) if start == rest.start => {
                        answer(headers, body, start, total)
                    }
                    _ => Err(Fault::Lasting {
                        what: "it sent another part of the file than requested".to_owned(),
                    }),
                }
            }
            StatusCode::RANGE_NOT_SATISFIABLE if rest.is_some() => {
                let total = text(headers, header::CONTENT_RANGE)
                    .and_then(|range| range.strip_prefix("bytes */")?.trim().parse().ok());
                Ok(Outcome::NothingLeft(total))
            }
            status => Err(refusal(status, headers)),
        }
    }

    fn agent(&self, address: &str) -> Result<Agent, Fault> {
        let proxy = match self.use_proxies {
            true => proxy_for(address)?,
            false => None,
        };
        let patience = &self.patience;
        Ok(Agent::config_builder()
            .proxy(proxy)
            .user_agent(concat!("huenet/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            .timeout_resolve(Some(patience.silence))
            .timeout_connect(Some(patience.silence))
            .timeout_per_read(Some(patience.silence))
            .timeout_per_write(Some(patience.silence))
            .build()
            .new_agent())
    }
}

fn answer(
    headers: &HeaderMap,
    body: Body,
    start: u64,
    total: Option<u64>,
) -> Result<Outcome, Fault> {
    let kind = text(headers, header::CONTENT_TYPE).unwrap_or_default();
    if kind
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("text/html")
    {
        return Err(Fault::Lasting {
            what: "it answered with a web page instead of the file".to_owned(),
        });
    }
    let length: Option<u64> =
        text(headers, header::CONTENT_LENGTH).and_then(|n| n.trim().parse().ok());
    let total = total.or_else(|| start.checked_add(length?));
    Ok(Outcome::Body(Answer {
        start,
        total,
        validator: validator(headers),
        body: Box::new(body.into_reader()),
    }))
}

/// A weak entity tag does not promise equal bytes, so a date is better.
fn validator(headers: &HeaderMap) -> Option<String> {
    text(headers, header::ETAG)
        .filter(|tag| tag.starts_with('"'))
        .or_else(|| text(headers, header::LAST_MODIFIED))
        .map(str::to_owned)
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// `bytes 1000-1999/2000`.
struct ContentRange {
    start: u64,
    total: Option<u64>,
}

impl ContentRange {
    fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (start, _) = range.split_once('-')?;
        Some(Self {
            start: start.trim().parse().ok()?,
            total: total.trim().parse().ok(),
        })
    }
}

fn refusal(status: StatusCode, headers: &HeaderMap) -> Fault {
    let what = format!("it answered {status}");
    let passing = status.is_server_error()
        || [
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::TOO_EARLY,
            StatusCode::TOO_MANY_REQUESTS,
        ]
        .contains(&status);
    match passing {
        true => Fault::Passing {
            what,
            wait: text(headers, header::RETRY_AFTER).and_then(retry_after),
        },
        false => Fault::Lasting { what },
    }
}

/// Seconds, or a date.
fn retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    let date = SystemTime::from(date);
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

/// Why a request got no answer.
fn fault(error: ureq::Error) -> Fault {
    use ureq::Error;
    match error {
        Error::Io(error) => broken(&error),
        Error::Timeout(_) => Fault::Passing {
            what: "it does not answer".to_owned(),
            wait: None,
        },
        Error::HostNotFound => Fault::Passing {
            what: "its name cannot be resolved: is this machine on a network?".to_owned(),
            wait: None,
        },
        Error::ConnectionFailed | Error::Protocol(_) => Fault::Passing {
            what: error.to_string(),
            wait: None,
        },
        other => Fault::Lasting {
            what: other.to_string(),
        },
    }
}

/// Why an answer broke off.
pub(super) fn broken(error: &io::Error) -> Fault {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    let silent = matches!(inner, Some(ureq::Error::Timeout(_)));
    let what = match error.kind() {
        _ if silent => "it fell silent".to_owned(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "it fell silent".to_owned(),
        io::ErrorKind::UnexpectedEof => "the connection was cut".to_owned(),
        io::ErrorKind::ConnectionRefused => "it accepts no connection".to_owned(),
        _ => error.to_string(),
    };
    Fault::Passing { what, wait: None }
}

/// The proxy that the environment names for an address: `http_proxy` or `https_proxy` by its
/// scheme, else `all_proxy`, in either case; `no_proxy` lists hosts to reach without.
fn proxy_for(address: &str) -> Result<Option<Proxy>, Fault> {
    let own = match address.starts_with("https:") {
        true => "https_proxy",
        false => "http_proxy",
    };
    let Some((name, value)) = [own, "all_proxy"].iter().find_map(|name| variable(name)) else {
        return Ok(None);
    };
    let wrong = |error: ureq::Error| Fault::Lasting {
        what: format!("the proxy that {name} names cannot be used: {error}"),
    };
    let given = Proxy::new(&value).map_err(wrong)?;
    let mut builder = Proxy::builder(given.protocol())
        .host(given.host())
        .port(given.port());
    if let Some(user) = given.username() {
        builder = builder.username(user);
    }
    if let Some(password) = given.password() {
        builder = builder.password(password);
    }
    let hosts = variable("no_proxy").map_or_else(String::new, |(_, value)| value);
    for host in hosts
        .split(',')
        .map(str::trim)
        .filter(|host| !host.is_empty())
    {
        builder = builder.no_proxy(host);
    }
    builder.build().map(Some).map_err(wrong)
}

/// An environment variable that is set, in lower or upper case.
fn variable(name: &str) -> Option<(String, String)> {
    [name.to_owned(), name.to_uppercase()]
        .into_iter()
        .find_map(|name| {
            let value = std::env::var(&name)
                .ok()
                .filter(|value| !value.is_empty())?;
            Some((name, value))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_understood() {
        let range = |text| ContentRange::parse(text).map(|r| (r.start, r.total));
        assert_eq!(range("bytes 1000-1999/2000"), Some((1000, Some(2000))));
        assert_eq!(range("bytes 0-9/*"), Some((0, None)));
        assert_eq!(range("lines 0-9/10"), None);
        assert_eq!(retry_after("120"), Some(Duration::from_secs(120)));
        let past = retry_after("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(past, Some(Duration::ZERO));
        assert_eq!(retry_after("soon"), None);
    }

    #[test]
    fn a_weak_entity_tag_is_no_validator() {
        let with = |tag: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ETAG, tag.parse().unwrap());
            headers.insert(
                header::LAST_MODIFIED,
                "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap(),
            );
            validator(&headers)
        };
        assert_eq!(with("\"abc\"").as_deref(), Some("\"abc\""));
        assert_eq!(
            with("W/\"abc\"").as_deref(),
            Some("Sun, 06 Nov 1994 08:49:37 GMT")
        );
    }
}
