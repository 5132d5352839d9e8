//! Names that a file system cannot hold.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

/// Which names are kept as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Names {
    /// All names that Unix file systems accept: those without a slash and of at most 255 bytes.
    Unix,
    /// Only names that Windows and its file systems (NTFS, exFAT, FAT) accept too. They have none of
    /// `< > : " \ | ? *`, no control characters, and no blank or full stop at the end. They are no
    /// device's name (`CON`, `NUL`, `COM1`, …), and no two of them differ only in case.
    Portable,
}

/// The longest name that common file systems accept, in bytes of UTF-8.
const LONGEST: usize = 255;

impl Names {
    /// The names that the file system of `folder` accepts, found by trying. The folder must exist.
    pub fn of_file_system(folder: &Path) -> Self {
        if cfg!(windows) {
            // Windows does not refuse a colon: it names a stream within another file.
            return Self::Portable;
        }
        let probe = folder.join(format!(".huenet:probe?{}", std::process::id()));
        match std::fs::File::create(&probe) {
            Ok(_) => {
                // A probe that cannot be removed does no harm.
                let _ = std::fs::remove_file(&probe);
                Self::Unix
            }
            Err(_) => Self::Portable,
        }
    }

    /// The name that an entry called `name` gets, apart from clashes with its neighbours. A forbidden
    /// character becomes `_`. A device's name gets a `_` in front. In a name that is too long, the end of
    /// the stem becomes `~` and eight digits made from the whole name.
    ///
    /// ```
    /// use huenet_data::archive::Names;
    ///
    /// let name = "2011-05-29 10:20:21.jpg";
    /// assert_eq!(Names::Unix.map(name), name);
    /// assert_eq!(Names::Portable.map(name), "2011-05-29 10_20_21.jpg");
    /// ```
    pub fn map(self, name: &str) -> Cow<'_, str> {
        let name = match self {
            Self::Unix => Cow::Borrowed(name),
            Self::Portable => portable(name),
        };
        match name.len() > LONGEST {
            true => Cow::Owned(shortened(&name)),
            false => name,
        }
    }
}

fn portable(name: &str) -> Cow<'_, str> {
    let forbidden = |c: char| c.is_control() || r#"<>:"\|?*"#.contains(c);
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let device = is_device(stem);
    let ends_badly = name.ends_with([' ', '.']);
    if !device && !ends_badly && !name.contains(forbidden) {
        return Cow::Borrowed(name);
    }
    let mut mapped = name.replace(forbidden, "_");
    if ends_badly {
        mapped.pop();
        mapped.push('_');
    }
    if device {
        mapped.insert(0, '_');
    }
    Cow::Owned(mapped)
}

fn is_device(stem: &str) -> bool {
    let stem = stem.to_ascii_uppercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix)
            .is_some_and(|rest| matches!(rest.as_bytes(), [b'1'..=b'9']))
    };
    ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

fn shortened(name: &str) -> String {
    let mut crc = flate2::Crc::new();
    crc.update(name.as_bytes());
    with_suffix(name, &format!("~{:08x}", crc.sum()))
}

/// The name with `suffix` before its extension, and no longer than it may be.
fn with_suffix(name: &str, suffix: &str) -> String {
    let (stem, extension) = match name.rfind('.') {
        Some(at) if at > 0 && name.len() - at <= 16 => name.split_at(at),
        _ => (name, ""),
    };
    let room = LONGEST - suffix.len() - extension.len();
    let end = stem.floor_char_boundary(room);
    format!("{}{suffix}{extension}", &stem[..end])
}

/// Gives each entry of an archive a name of its own.
pub(super) struct Namer {
    names: Names,
    /// The names that are taken, in lower case, and the names in the archive they stand for. Kept only
    /// where two names could be mapped to the same one.
    taken: HashMap<String, String>,
}

impl Namer {
    pub(super) fn new(names: Names) -> Self {
        Self {
            names,
            taken: HashMap::new(),
        }
    }

    /// The name for `name` in `folder`. Of different names that clash once mapped, later ones are
    /// numbered.
    pub(super) fn name(&mut self, folder: &str, name: &str) -> String {
        let mapped = self.names.map(name).into_owned();
        if self.names == Names::Unix {
            return mapped;
        }
        let key = |name: &str| format!("{folder}/{name}").to_lowercase();
        let mut free = mapped.clone();
        let mut number = 2_u64;
        while let Some(owner) = self.taken.get(&key(&free)) {
            if owner == name {
                return free;
            }
            free = with_suffix(&mapped, &format!("~{number}"));
            number += 1;
        }
        self.taken.insert(key(&free), name.to_owned());
        free
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1_AB.jpg", "1_AB.jpg")]
    #[case("2011-05-29 10:20:21.jpg", "2011-05-29 10_20_21.jpg")]
    #[case("a<b>c\"d|e?f*g\\h", "a_b_c_d_e_f_g_h")]
    #[case("tab\tname", "tab_name")]
    #[case("ends with a dot.", "ends with a dot_")]
    #[case("ends with a blank ", "ends with a blank_")]
    #[case("con", "_con")]
    #[case("NUL.jpg", "_NUL.jpg")]
    #[case("Com1.tar.gz", "_Com1.tar.gz")]
    #[case("com0.jpg", "com0.jpg")]
    #[case("console.jpg", "console.jpg")]
    #[case("чёрный:кот.jpg", "чёрный_кот.jpg")]
    fn what_windows_refuses_is_replaced(#[case] name: &str, #[case] mapped: &str) {
        assert_eq!(Names::Portable.map(name), mapped);
        assert_eq!(Names::Unix.map(name), name);
    }

    #[test]
    fn names_that_become_one_are_numbered() {
        let mut namer = Namer::new(Names::Portable);
        assert_eq!(namer.name("a", "10:20.jpg"), "10_20.jpg");
        assert_eq!(namer.name("a", "10_20.jpg"), "10_20~2.jpg");
        assert_eq!(namer.name("a", "10?20.JPG"), "10_20~3.JPG");
        assert_eq!(namer.name("b", "10:20.jpg"), "10_20.jpg");
        // The same name again is no other name: the file that is there already decides.
        assert_eq!(namer.name("a", "10:20.jpg"), "10_20.jpg");
    }

    #[test]
    fn long_names_stay_apart_and_keep_their_extension() {
        let [one, other] = ["a", "b"].map(|end| format!("{}{end}.jpg", "é".repeat(200)));
        for names in [Names::Unix, Names::Portable] {
            let [one, other] = [&one, &other].map(|name| names.map(name).into_owned());
            assert_ne!(one, other);
            assert!(one.ends_with(".jpg") && one.len() <= LONGEST, "{one}");
        }
    }

    proptest! {
        #[test]
        fn a_mapped_name_is_left_as_it_is(name in "[^/\0]{1,300}") {
            let once = Names::Portable.map(&name).into_owned();
            prop_assert!(once.len() <= LONGEST);
            prop_assert_eq!(Names::Portable.map(&once), once.as_str());
        }
    }
}
