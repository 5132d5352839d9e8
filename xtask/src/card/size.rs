//! Makes the packed folder small enough to be taken elsewhere.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::tools::run;

/// The most that a folder may have that is taken elsewhere, in bytes.
const LIMIT: u64 = 60 << 20;

/// What the name of a compressed program ends with.
const COMPRESSED: &str = "gz";

/// Removes the symbols of these programs, if there is `strip`.
pub(super) fn strip(programs: &[PathBuf]) {
    match run(Command::new("strip").args(programs)) {
        Ok(0) => {}
        Ok(_) => eprintln!("`strip` failed: some programs may keep their symbols"),
        Err(_) => eprintln!("`strip` is missing, so the programs keep their symbols"),
    }
}

/// Puts compressed files in the place of these programs.
pub(super) fn compress(programs: &[PathBuf]) -> Result<()> {
    for program in programs {
        let named = || format!("cannot compress {}", program.display());
        let compressed = program.with_added_extension(COMPRESSED);
        let mut source = File::open(program).with_context(named)?;
        let target = File::create(compressed).with_context(named)?;
        let mut target = GzEncoder::new(target, Compression::best());
        io::copy(&mut source, &mut target).with_context(named)?;
        target.finish().with_context(named)?;
        fs::remove_file(program).with_context(named)?;
    }
    Ok(())
}

/// Unpacks the compressed programs in `folder`, beside themselves, unless that was done before.
pub(super) fn unpack(folder: &Path) -> Result<()> {
    for (path, _) in files(folder)? {
        let program = path.with_extension("");
        if path.extension().is_none_or(|it| it != COMPRESSED) || program.exists() {
            continue;
        }
        let named = || format!("cannot unpack {}", path.display());
        // Under its own name only once it is complete.
        let aside = path.with_extension("new");
        let mut source = GzDecoder::new(File::open(&path).with_context(named)?);
        let mut target = File::create(&aside).with_context(named)?;
        io::copy(&mut source, &mut target).with_context(named)?;
        make_executable(&aside)?;
        fs::rename(&aside, &program).with_context(named)?;
    }
    Ok(())
}

/// Checks that a folder is small enough to be taken elsewhere. Returns its size in bytes.
pub(super) fn check(folder: &Path) -> Result<u64> {
    let mut files = files(folder)?;
    let total: u64 = files.iter().map(|(_, bytes)| bytes).sum();
    if total > LIMIT {
        files.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        let largest: Vec<String> = files
            .iter()
            .take(6)
            .map(|(path, bytes)| {
                let path = path.strip_prefix(folder).unwrap_or(path);
                format!("  {:>5} MiB  {}", bytes >> 20, path.display())
            })
            .collect();
        bail!(
            "{} has {} MiB, more than {} MiB. Its largest files:\n{}\n\
             `--backends` packs fewer backends",
            folder.display(),
            total >> 20,
            LIMIT >> 20,
            largest.join("\n"),
        );
    }
    Ok(total)
}

/// The files in a folder and in those below it, with their sizes in bytes.
pub(super) fn files(folder: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let named = || format!("cannot read {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(named)? {
        let entry = entry.with_context(named)?;
        let about = entry.metadata().with_context(named)?;
        match about.is_dir() {
            true => found.extend(files(&entry.path())?),
            false => found.push((entry.path(), about.len())),
        }
    }
    Ok(found)
}

pub(super) fn make_executable(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let all = fs::Permissions::from_mode(0o755);
        fs::set_permissions(path, all)
            .with_context(|| format!("cannot make {} executable", path.display()))?;
    }
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_too_large_is_told_with_its_largest_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("peers.py"), "print()").unwrap();
        assert_eq!(check(folder.path()).unwrap(), 7);

        let set = folder.path().join("cards");
        fs::create_dir(&set).unwrap();
        // A file with a hole takes no disk.
        let huge = File::create(set.join("huenet.gz")).unwrap();
        huge.set_len(LIMIT).unwrap();
        let message = check(folder.path()).unwrap_err().to_string();
        assert!(message.contains("60 MiB  cards/huenet.gz"), "{message}");
    }

    #[cfg(unix)]
    #[test]
    fn a_compressed_program_starts_once_it_is_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("huenet");
        fs::write(&program, "#!/bin/sh\necho started\n").unwrap();
        compress(std::slice::from_ref(&program)).unwrap();
        assert!(!program.exists());
        for _ in 0..2 {
            unpack(folder.path()).unwrap();
        }
        // Through the shell: another test's new process may hold the file open.
        let said = Command::new("sh").arg(&program).output().unwrap();
        assert_eq!(said.stdout, b"started\n");
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&program).unwrap().permissions());
        assert_eq!(mode & 0o111, 0o111);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
