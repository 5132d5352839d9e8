use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// How much of an archive is read at once.
pub(super) const BUFFER: usize = 128 << 10;

/// A reader that gives no more bytes than allowed. So no header can make a parser read, and keep, too
/// much.
pub(super) struct Metered<R> {
    inner: R,
    allowance: Rc<Cell<u64>>,
}

impl<R: Read> Metered<R> {
    /// The reader, and how many bytes it may still give: none, until that is set.
    pub(super) fn new(inner: R) -> (Self, Rc<Cell<u64>>) {
        let allowance = Rc::new(Cell::new(0));
        let shared = Rc::clone(&allowance);
        (Self { inner, allowance }, shared)
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.allowance.get();
        if left == 0 && !buffer.is_empty() {
            // One more byte is either the end or one too many.
            return match self.inner.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "its headers are too long",
                )),
            };
        }
        let most = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let count = self.inner.read(&mut buffer[..most])?;
        self.allowance.set(left - count as u64);
        Ok(count)
    }
}

/// A reader that counts what goes through it.
pub(super) struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Counted<R> {
    pub(super) fn new(inner: R) -> (Self, Rc<Cell<u64>>) {
        let count = Rc::new(Cell::new(0));
        let shared = Rc::clone(&count);
        (Self { inner, count }, shared)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}
