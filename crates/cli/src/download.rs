//! `huenet download`, and what `train --download` does.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use huenet_data::archive::Names;
use huenet_data::download::{
    Bytes, CATALOGUE, Dataset, DownloadError, Downloader, Installed, RemoteFile, Source,
};

use crate::download_display::Display;
use crate::output;
use crate::signals::{self, Activity};

/// The default folder for datasets.
const DATAROOT: &str = "datasets";

const LONG: &str = "\
Download a published dataset, check it and unpack it into DATAROOT/NAME, where the other commands \
look for it. If a download was interrupted, give the same command again: it continues where it stopped.

The folder has the dataset's name. The family may stand before a name (pix2pix/edges2shoes). Write it \
for maps, cityscapes and facades, which are in both families.

Proxies are taken from http_proxy, https_proxy, all_proxy and no_proxy.";

/// The verb.
pub(crate) fn command() -> Command {
    Command::new("download")
        .about("Download a published dataset")
        .long_about(LONG)
        .arg(
            Arg::new("name")
                .value_name("NAME")
                .required_unless_present("list")
                .help("Name of the dataset; --list shows all names"),
        )
        .arg(
            Arg::new("list")
                .long("list")
                .action(ArgAction::SetTrue)
                .conflicts_with("name")
                .help("List the datasets with their sizes"),
        )
        .arg(
            Arg::new("dataroot")
                .long("dataroot")
                .value_name("DIR")
                .default_value(DATAROOT)
                .value_parser(value_parser!(PathBuf))
                .help("Folder for the dataset's folder"),
        )
        .arg(from())
        .arg(unverified())
        .arg(
            Arg::new("keep-archive")
                .long("keep-archive")
                .action(ArgAction::SetTrue)
                .help("Keep the archive in DATAROOT/.downloads"),
        )
        .arg(
            Arg::new("portable-names")
                .long("portable-names")
                .action(ArgAction::SetTrue)
                .help("Give files only names that Windows and its disks accept too"),
        )
        .arg(
            Arg::new("quiet")
                .long("quiet")
                .short('q')
                .action(ArgAction::SetTrue)
                .help("Print only errors, the note on rights and the path of the dataset"),
        )
}

/// `--from`, which `train --download` has too.
fn from() -> Arg {
    Arg::new("from")
        .long("from")
        .value_name("FILE|URL")
        .action(ArgAction::Append)
        .help("Take the archive from a mirror or a copy: the address or path of the archive, or of the folder it is in. If you give several, they are tried in turn")
}

fn unverified() -> Arg {
    Arg::new("unverified")
        .long("unverified")
        .action(ArgAction::SetTrue)
        .help("Accept files whose size or checksum is not the published one, such as a part of a dataset that you packed yourself")
}

/// The flags of `train` that belong here.
pub(crate) fn train_flags() -> [Arg; 3] {
    [
        Arg::new("download")
            .long("download")
            .help_heading("Data")
            .action(ArgAction::SetTrue)
            .conflicts_with("resume")
            .help("Download the dataset first if its folder is not there"),
        from().help_heading("Data").requires("download"),
        unverified().help_heading("Data").requires("download"),
    ]
}

/// Downloads the named dataset, or lists all of them.
pub(crate) fn download(matches: &ArgMatches) -> anyhow::Result<()> {
    // Only --list needs no name.
    let Some(name) = matches.get_one::<String>("name") else {
        list();
        return Ok(());
    };
    let dataset = Dataset::find(name)?;
    let dataroot = matches.get_one::<PathBuf>("dataroot");
    let dataroot = dataroot.map_or(Path::new(DATAROOT), PathBuf::as_path);
    let mut downloader = downloader(matches)?.keep_archive(matches.get_flag("keep-archive"));
    if matches.get_flag("portable-names") {
        downloader = downloader.with_names(Names::Portable);
    }
    let quiet = matches.get_flag("quiet");
    let installed = install(&downloader, dataset, dataroot, quiet)?;
    match quiet {
        true => output::line(installed.path.display()),
        false => report(dataset, &installed),
    }
    Ok(())
}

/// Downloads the dataset that a run asks for, if its folder is not there.
pub(crate) fn if_missing(
    matches: &ArgMatches,
    dataroot: &Path,
    name: &str,
    quiet: bool,
) -> anyhow::Result<()> {
    if dataroot.join(name).exists() {
        return Ok(());
    }
    let dataset = Dataset::find(name)?;
    if dataset.name != name {
        // The run reads the folder of the name it was given.
        anyhow::bail!(DownloadError::Unknown {
            name: name.to_owned(),
            known: CATALOGUE.iter().map(|set| set.name).collect(),
        });
    }
    let installed = install(&downloader(matches)?, dataset, dataroot, quiet)?;
    if !quiet {
        report(dataset, &installed);
    }
    Ok(())
}

/// A downloader as the flags say that `download` and `train` share.
fn downloader(matches: &ArgMatches) -> Result<Downloader, DownloadError> {
    let new = Downloader::new().unverified(matches.get_flag("unverified"));
    let mut given = matches.get_many::<String>("from").unwrap_or_default();
    given.try_fold(new, |downloader, text| {
        Ok(downloader.with_source(Source::parse(text)?))
    })
}

fn install(
    downloader: &Downloader,
    dataset: &Dataset,
    dataroot: &Path,
    quiet: bool,
) -> Result<Installed, DownloadError> {
    let mut display = Display::new(dataset, quiet);
    signals::doing(Activity::Downloading);
    let outcome = downloader.install(dataset, dataroot, &mut |event| display.show(&event));
    signals::doing(Activity::Other);
    display.finish();
    outcome
}

fn report(dataset: &Dataset, installed: &Installed) {
    let path = installed.path.display();
    if installed.was_there {
        output::line(format_args!("{} is there already: {path}", dataset.name));
        return;
    }
    output::line(format_args!(
        "{}: {} files, {} in {path}",
        dataset.name,
        installed.files,
        Bytes(installed.bytes)
    ));
    if installed.renamed > 0 {
        output::line(format_args!(
            "{} files were renamed; {path}/huenet-dataset.json lists them",
            installed.renamed
        ));
    }
    if let Some(archive) = &installed.archive {
        output::line(format_args!("archive: {}", archive.display()));
    }
}

fn list() {
    output::line("NAME                     LAYOUT      DOWNLOAD   CHECKSUM   WHAT IT IS");
    for set in CATALOGUE {
        let exact = |file: &RemoteFile| file.exact_size().is_some();
        let about = if set.files.iter().all(exact) {
            ' '
        } else {
            '~'
        };
        let size = match set.bytes() {
            Some(bytes) => format!("{about}{}", Bytes(bytes)),
            None => " unknown".to_owned(),
        };
        let published = set.files.iter().all(|file| file.is_published());
        output::line(format_args!(
            "{:<24} {:<11} {size:<10} {:<10} {}",
            set.name,
            set.layout.name(),
            if published { "published" } else { "none" },
            set.about,
        ));
    }
    output::line(
        "\nIf no checksum is published, that of the first download is recorded, and later downloads \
         are compared with it.\nSome datasets may be used for research only: `huenet download NAME` \
         shows the note on rights before it downloads.",
    );
}
