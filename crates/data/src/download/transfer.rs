//! Gets one file in several tries, and keeps what has arrived already.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::time::Duration;

use super::event::{Event, Observer};
use super::http::{Answer, Client, Fault, Outcome, Rest, broken};
use super::part::{Part, State};
use super::{DownloadError, Patience, RemoteFile, space};

/// Bytes that must arrive for a try to count as progress.
const HEADWAY: u64 = 64 << 10;

/// Gets files.
pub(super) struct Transfer<'a> {
    pub(super) client: &'a Client,
    pub(super) patience: Patience,
    /// Whether a wrong size is a fault: it is if the file must be the published one.
    pub(super) strict: bool,
}

/// How a try failed.
enum Failure {
    /// At the server or on the network.
    Net(Fault),
    /// On this machine, where another address does not help.
    Here(DownloadError),
}

impl From<DownloadError> for Failure {
    fn from(error: DownloadError) -> Self {
        Self::Here(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Net(fault)
    }
}

impl Transfer<'_> {
    /// Gets `file` from one address into `target`, with as many tries as it takes.
    ///
    /// The inner error is a fault of the address; the outer one is a fault of this machine.
    pub(super) fn get(
        &self,
        file: &RemoteFile,
        address: &str,
        target: &Path,
        observer: &mut Observer<'_>,
    ) -> Result<Result<(), String>, DownloadError> {
        let mut part = Part::open(target)?;
        let mut attempt = 1;
        let mut furthest = part.length();
        loop {
            let fault = match self.attempt(file, address, &mut part, observer) {
                Ok(()) => return part.complete(target).map(Ok),
                Err(Failure::Here(error)) => return Err(error),
                Err(Failure::Net(fault)) => fault,
            };
            let (what, wait) = match fault {
                Fault::Lasting { what } => return Ok(Err(what)),
                Fault::Passing { what, wait } => (what, wait),
            };
            // A try with progress resets the count: only tries without progress are given up.
            let length = part.length();
            if length >= furthest.saturating_add(HEADWAY) {
                attempt = 0;
            }
            furthest = furthest.max(length);
            let total = part.state.as_ref().and_then(|state| state.total);
            let what = match total {
                Some(total) if length > 0 => format!("{what} after {length} of {total} bytes"),
                _ => what,
            };
            if attempt >= self.patience.attempts {
                let times = match attempt {
                    1 => "once".to_owned(),
                    n => format!("{n} times"),
                };
                return Ok(Err(format!("{what} (tried {times})")));
            }
            let wait = self.patience.wait(attempt, wait);
            attempt += 1;
            observer(Event::Retrying {
                fault: &what,
                wait,
                attempt: (attempt, self.patience.attempts),
            });
            std::thread::sleep(wait);
        }
    }

    fn attempt(
        &self,
        file: &RemoteFile,
        address: &str,
        part: &mut Part,
        observer: &mut Observer<'_>,
    ) -> Result<(), Failure> {
        let have = self.usable(file, address, part);
        let rest = have.map(|(start, validator)| (start, validator.map(str::to_owned)));
        let rest = rest.as_ref().map(|(start, validator)| Rest {
            start: *start,
            validator: validator.as_deref(),
        });
        observer(Event::Asking {
            file: file.name,
            address,
            have: rest.as_ref().map_or(0, |rest| rest.start),
        });
        match self.client.get(address, rest.as_ref())? {
            Outcome::Body(answer) => self.receive(file, address, answer, part, observer),
            Outcome::NothingLeft(total) => {
                let have = part.length();
                let expected = total.or(part.state.as_ref().and_then(|state| state.total));
                if expected == Some(have) {
                    return Ok(());
                }
                part.discard()?;
                Err(another_version(have))
            }
        }
    }

    /// What has arrived, if the rest at `address` fits it.
    fn usable<'p>(
        &self,
        file: &RemoteFile,
        address: &str,
        part: &'p Part,
    ) -> Option<(u64, Option<&'p str>)> {
        let state = part.state.as_ref()?;
        let length = Some(part.length()).filter(|length| *length > 0)?;
        // A mix of two versions is noticed if there is a checksum to compare with.
        let provable = self.strict && file.is_published();
        if state.address == address {
            let validator = state.validator.as_deref();
            (validator.is_some() || provable).then_some((length, validator))
        } else {
            // Validators are only valid at the server that sent them.
            provable.then_some((length, None))
        }
    }

    fn receive(
        &self,
        file: &RemoteFile,
        address: &str,
        mut answer: Answer,
        part: &mut Part,
        observer: &mut Observer<'_>,
    ) -> Result<(), Failure> {
        if let (true, Some(expected), Some(total)) = (self.strict, file.exact_size(), answer.total)
            && expected != total
        {
            return Err(Failure::Net(Fault::Lasting {
                what: format!("the file there has {total} bytes, and the published one {expected}"),
            }));
        }
        // Not every server respects `If-Range`.
        if let (1.., Some(state)) = (answer.start, &part.state)
            && state.is_outdated(address, answer.validator.as_deref(), answer.total)
        {
            part.discard()?;
            return Err(another_version(answer.start));
        }
        let folder = part.path().parent().unwrap_or(Path::new(".")).to_path_buf();
        // If nobody tells the file's size, there is nothing to check.
        let size = answer.total.or(file.size.bytes()).unwrap_or(0);
        let left = size.saturating_sub(answer.start);
        let what = format!("{} and what it unpacks to", file.name);
        // Twice the size: archives of JPEG files unpack to about their own size.
        let unpacked = if file.is_archive() {
            left + answer.start
        } else {
            0
        };
        space::check(&folder, left.saturating_add(unpacked), &what)?;

        let total = answer.total.or(file.exact_size().filter(|_| self.strict));
        let mut sink = match answer.start {
            0 => part.restart(State {
                address: address.to_owned(),
                validator: answer.validator.take(),
                total: answer.total,
            })?,
            _ => part.go_on()?,
        };
        let done = copy(&mut answer, &mut sink, part.path(), total, observer)?;
        match total {
            Some(total) if done < total => Err(Failure::Net(Fault::Passing {
                what: "the connection was cut".to_owned(),
                wait: None,
            })),
            Some(total) if done > total => {
                drop(sink);
                part.discard()?;
                Err(Failure::Net(Fault::Lasting {
                    what: format!("it sent more than the {total} bytes of {}", file.name),
                }))
            }
            _ => {
                sink.sync_all().map_err(DownloadError::write(part.path()))?;
                Ok(())
            }
        }
    }
}

/// The file has changed since `have` bytes of it arrived: it is requested from the start.
fn another_version(have: u64) -> Failure {
    Failure::Net(Fault::Passing {
        what: format!("its file has changed since {have} bytes of it arrived"),
        wait: Some(Duration::ZERO),
    })
}

/// Writes the body; returns how long the file is then.
fn copy(
    answer: &mut Answer,
    sink: &mut File,
    path: &Path,
    total: Option<u64>,
    observer: &mut Observer<'_>,
) -> Result<u64, Failure> {
    let mut buffer = vec![0; 128 << 10];
    let mut done = answer.start;
    loop {
        observer(Event::Received { done, total });
        // Reading one byte more than expected is enough to notice a longer file.
        if total.is_some_and(|total| done > total) {
            return Ok(done);
        }
        let count = match answer.body.read(&mut buffer) {
            Ok(0) => return Ok(done),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::Net(broken(&error))),
        };
        sink.write_all(&buffer[..count])
            .map_err(DownloadError::write(path))?;
        done += count as u64;
    }
}
