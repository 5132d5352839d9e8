//! What can be wrong with a `.mat` file.

/// What is wrong with a `.mat` file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MatError {
    /// The file does not begin as a level 5 file does.
    #[error("not a MATLAB level 5 file; save it with `save -v7`")]
    NotMat5,
    /// The file ends inside an element, or an element's length is impossible.
    #[error("damaged: an element at byte {offset} ends beyond the data")]
    Truncated {
        /// Where the element begins, in the file or in the unpacked variable.
        offset: usize,
    },
    /// A compressed variable that cannot be unpacked.
    #[error("damaged: the variable at byte {offset} cannot be unpacked")]
    Compressed {
        /// Where the variable begins in the file.
        offset: usize,
    },
    /// Variables that are unpacked to more bytes than are accepted.
    #[error("too large: with the variable at byte {offset} it unpacks to more than {max} bytes")]
    TooLarge {
        /// Where the variable begins in the file.
        offset: usize,
        /// The most bytes accepted.
        max: u64,
    },
    /// A numeric array whose parts do not make sense.
    #[error("damaged: the variable {name:?} has {problem}")]
    Array {
        /// The variable's name, as far as it was read.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A variable that is not there.
    #[error("it has no numeric variable {name:?}, only {found:?}")]
    NoVariable {
        /// The variable that was looked for.
        name: String,
        /// The names of those that are there.
        found: Vec<String>,
    },
    /// A value that should be a whole number in a certain range.
    #[error(
        "damaged: {value} in the variable {name:?} is not a whole number in the expected range"
    )]
    NotWhole {
        /// The variable.
        name: String,
        /// The value.
        value: f64,
    },
}
