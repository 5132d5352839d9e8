//! Adds the flag that helps to an error of the libraries, which know no flags.

use huenet_data::download::DownloadError;
use huenet_data::prepare::PrepareError;

/// The text of an error for the user: its own message, and the flag that helps.
pub(crate) fn told(error: &anyhow::Error) -> String {
    if let Some(DownloadError::From { .. }) = error.downcast_ref() {
        return format!("--from {error}");
    }
    let flag = error.downcast_ref().and_then(of_download);
    let flag = flag.or_else(|| error.downcast_ref().and_then(of_preparation));
    format!("{error}{}", flag.unwrap_or_default())
}

fn of_download(error: &DownloadError) -> Option<&'static str> {
    Some(match error {
        DownloadError::Linked { .. } => ", and name the other folder's parent with --dataroot",
        DownloadError::Unreachable { .. } => {
            ": give the same command again to continue; or name another mirror or a copy that you \
             have with --from; --unverified takes a file that is not the published one"
        }
        DownloadError::Mismatch { .. } => {
            "; add --unverified to take it all the same, if it is a part of the dataset that you \
             packed yourself, say"
        }
        DownloadError::Changed { .. } => ", or take it with --unverified",
        DownloadError::NoSpace { .. } => ", or choose another folder with --dataroot",
        _ => return None,
    })
}

fn of_preparation(error: &PrepareError) -> Option<&'static str> {
    Some(match error {
        PrepareError::Exists { .. } => ": choose another --output",
        PrepareError::Unmatched { .. } => " with --skip-unmatched",
        PrepareError::Shape { .. } => " with --stretch",
        PrepareError::TooLarge { .. } => " with --size",
        _ => return None,
    })
}
