//! `train --serve`: the live page.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};

use clap::{Arg, ArgMatches};
use huenet_tasks::LivePage;

use crate::output;

/// The default address of the page, which only this machine can read.
const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PORT: u16 = 6016;

/// An address that the live page cannot have.
#[derive(Debug, thiserror::Error)]
#[error(
    "--serve {given}: this is no address; give a port (8000), an address (192.168.1.5), or both \
     (192.168.1.5:8000, [::1]:8000)"
)]
pub(crate) struct NoAddress {
    given: String,
}

/// The flag of `train`.
pub(crate) fn flag() -> Arg {
    Arg::new("serve")
        .long("serve")
        .value_name("ADDRESS")
        .help_heading("Run")
        .num_args(0..=1)
        .default_missing_value("")
        .help(format!(
            "Serve a live page of the run at this address: a port, a host or both. The default is \
             {HOST}:{PORT}, which only this machine can read. Port 0 takes any free port"
        ))
}

/// Takes the address that the flag names, if it is there, before anything else is done.
pub(crate) fn page(matches: &ArgMatches) -> anyhow::Result<Option<LivePage>> {
    let Some(given) = matches.get_one::<String>("serve") else {
        return Ok(None);
    };
    let page = LivePage::bind(address(given)?)?;
    let at = page.address();
    output::note(format_args!("live page: http://{at}/"));
    if !at.ip().is_loopback() {
        output::note("the page has no password: whoever can reach this address can read the run");
    }
    Ok(Some(page))
}

fn address(given: &str) -> Result<SocketAddr, NoAddress> {
    let no_address = || NoAddress {
        given: given.to_owned(),
    };
    if given.is_empty() {
        return Ok((HOST, PORT).into());
    }
    if let Ok(port) = given.parse() {
        return Ok((HOST, port).into());
    }
    if given.bytes().all(|byte| byte.is_ascii_digit()) {
        // Resolvers take a bare number for an address.
        return Err(no_address());
    }
    let plain = given.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = plain.parse::<IpAddr>() {
        return Ok((ip, PORT).into());
    }
    let found = match given.rsplit_once(':') {
        Some(_) => given.to_socket_addrs(),
        None => (given, PORT).to_socket_addrs(),
    };
    found
        .ok()
        .and_then(|mut all| all.next())
        .ok_or_else(no_address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_or_a_host_or_both_name_an_address() {
        for (given, expected) in [
            ("", "127.0.0.1:6016"),
            ("8000", "127.0.0.1:8000"),
            ("0.0.0.0", "0.0.0.0:6016"),
            ("10.1.2.3:80", "10.1.2.3:80"),
            ("::1", "[::1]:6016"),
            ("[::1]:80", "[::1]:80"),
        ] {
            assert_eq!(address(given).unwrap().to_string(), expected, "{given}");
        }
        assert!(address("70000").is_err());
        assert!(address("no host of this name:80").is_err());
    }
}
