//! Files written aside: each is written under another name in the folder where it belongs, synced to the disk, and then
//! renamed. Whoever looks sees the whole file or none, and a file that was there stays until the new one is complete.
//!
//! The files get the permissions that any new file gets.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// How the names of files and folders that are still being written begin.
pub const PARTIAL: &str = ".partial-";

/// Writes the file at `path` with what `write` writes. A file that is there is replaced.
///
/// # Errors
///
/// That of `write`, of writing to the disk, or of renaming. The file at `path` is then as it was.
pub fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let folder = parent(path);
    let aside = new_file(folder, write)?;
    aside.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// Writes the file at `path` with what `write` writes, unless there is something already.
///
/// # Errors
///
/// [`AlreadyExists`](io::ErrorKind::AlreadyExists); the error of `write`, of writing to the disk, or of renaming.
pub fn create(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let folder = parent(path);
    let aside = new_file(folder, write)?;
    let renamed = aside.persist_noclobber(path);
    renamed.map_err(|error| error.error)?;
    sync_folder(folder)
}

/// As [`replace`], with `bytes`. But what is no ordinary file, a named pipe or a device, is not replaced: `bytes` are
/// written to it.
///
/// # Errors
///
/// Those of [`replace`], and of writing to a pipe or a device.
pub fn replace_or_feed(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(there) if !there.is_file() => fs::write(path, bytes),
        _ => replace(path, |file| file.write_all(bytes)),
    }
}

/// Makes a file in `folder` with an unused name, and syncs what `write` wrote to the disk. The file is
/// removed unless it is renamed.
fn new_file(
    folder: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    #[cfg(unix)]
    let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut aside = builder.prefix(PARTIAL).tempfile_in(folder)?;
    write(aside.as_file_mut())?;
    aside.as_file().sync_all()?;
    Ok(aside)
}

/// Waits until the entries of a folder are on the disk. Where folders cannot be synced (Windows) they need no syncing.
/// Nor can one that this process may write to and not read; its entries are on the disk a little later.
///
/// # Errors
///
/// Those of opening and syncing it.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match File::open(folder) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        opened => opened?.sync_all()?,
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// The folder that holds a path.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_leaves_the_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for bytes in ["one", "two"] {
            replace(&path, |file| file.write_all(bytes.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), bytes);
        }
        let failed = replace(&path, |file| {
            file.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        let taken = create(&path, |file| file.write_all(b"three"));
        assert_eq!(taken.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        create(&folder.path().join("other"), |file| file.write_all(b"new")).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_file_has_the_permissions_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let [plain, aside] = ["plain", "aside"].map(|name| folder.path().join(name));
        fs::write(&plain, "").unwrap();
        replace_or_feed(&aside, b"").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&aside), mode(&plain));
    }
}
