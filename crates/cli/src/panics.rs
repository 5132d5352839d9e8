//! Panics that become errors.

/// Keeps panics of image decoders off the terminal: each becomes an error that names the file.
pub(crate) fn quieten_decoders() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !huenet_data::is_decoding() {
            usual(panic);
        }
    }));
}
