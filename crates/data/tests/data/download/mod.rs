//! Downloading and unpacking, against servers on the loopback and archives made here.

mod archives;
mod hostile;
mod install;
mod network;
mod server;
mod support;
mod unpacking;
mod versions;
