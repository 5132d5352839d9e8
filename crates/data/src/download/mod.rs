//! Downloads published datasets into folders that the rest of the crate reads.
//!
//! ```text
//! Dataset ──► Downloader ──► DATAROOT/NAME/
//! (what)      (how)          train/ …, huenet-dataset.json
//! ```
//!
//! [`Downloader::install`] takes each file of a [`Dataset`] from the first of its addresses that
//! works, and checks it. It unpacks the archive aside and renames the folder when it is complete: a
//! dataset is complete or absent. If it is interrupted, the next call continues where it stopped.
//!
//! - **Continuing**: data that has arrived is in `DATAROOT/.downloads/NAME-FILE.part`. The rest is
//!   requested with `Range` and `If-Range`; if the file has changed on the server, it is downloaded from
//!   the start. A server that knows no ranges sends the whole file again.
//! - **Passing faults** (cut connections, silence, 429, 5xx) are tried again after a wait, as
//!   [`Patience`] and `Retry-After` say. After other faults the next address is tried.
//! - **Checks**: the published size and SHA-256 where there are any. For other archives the
//!   SHA-256 of the first download that could be unpacked is kept in
//!   `DATAROOT/.downloads/checksums.json`, and later downloads are compared with it.
//! - **Two processes**: the second waits for the first, and then finds the dataset there. It does not
//!   wait for a process that has died.
//! - **Proxies** are those that `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` name, in lower or
//!   upper case. They are used by the method CONNECT.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use huenet_data::download::{Dataset, Downloader, Event};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let dataset = Dataset::find("summer2winter_yosemite")?;
//! println!("{}", dataset.rights);
//! let installed = Downloader::new().install(dataset, Path::new("datasets"), &mut |event| {
//!     if let Event::Retrying { fault, wait, .. } = event {
//!         eprintln!("{fault}; next try in {wait:?}");
//!     }
//! })?;
//! println!("{} files in {}", installed.files, installed.path.display());
//! # Ok(())
//! # }
//! ```

mod catalogue;
mod checksum;
mod dataset;
mod downloader;
mod error;
mod event;
mod files;
mod find;
mod http;
mod install;
mod lock;
mod part;
mod patience;
mod source;
mod space;
mod transfer;

pub use catalogue::CATALOGUE;
pub use dataset::{Checksum, Dataset, RemoteFile, Size};
pub use downloader::{Downloader, Installed};
pub use error::{Bytes, DownloadError};
pub use event::Event;
pub use install::MANIFEST;
pub use patience::Patience;
pub use source::Source;
