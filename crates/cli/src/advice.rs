//! What a user can do about an error of the libraries, where a flag does it: they know no flags.

use huenet_data::download::DownloadError;
use huenet_data::prepare::PrepareError;

/// An error as the user is told it: its own message, with the flag that helps.
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
            ": the same command goes on from there; --from takes another mirror, or a copy at \
             hand; --unverified takes a file that is not the published one"
        }
        DownloadError::Mismatch { .. } => {
            "; to take it all the same (a part of the set, say, that you packed yourself), add \
             --unverified"
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
