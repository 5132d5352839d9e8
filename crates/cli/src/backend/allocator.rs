//! Memory of the machine that runs out while a backend computes on it. Rust then ends the process as if huenet
//! were broken; this ends it with an error. No stable hook of Rust lets a program do so elsewhere.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is smaller than this has other reasons to fail than the sizes that the user chose.
const LARGE: usize = 1 << 20;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// The line to end with; none unless a backend computes.
static LINE: Mutex<Option<String>> = Mutex::new(None);

/// The system's allocator.
struct Allocator;

// SAFETY: each call is the system's, with the same arguments and the same outcome.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises what the system's allocator asks for.
        checked(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for `alloc`.
        checked(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as for `alloc`.
        checked(unsafe { System.realloc(old, layout, size) }, size)
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as for `alloc`; all memory is the system's.
        unsafe { System.dealloc(memory, layout) }
    }
}

fn checked(memory: *mut u8, size: usize) -> *mut u8 {
    if memory.is_null() && size >= LARGE {
        end();
    }
    memory
}

/// Ends the process with the prepared line, if there is one.
#[cold]
fn end() {
    // Other threads that run out wait here for the end.
    if let Some(line) = line().as_deref() {
        // Nothing is allocated: the error stream has no buffer.
        let _ = std::io::stderr().write_all(line.as_bytes());
        std::process::exit(crate::FAULT.into());
    }
}

fn line() -> MutexGuard<'static, Option<String>> {
    LINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the process with `error` if memory runs out while what is returned lives.
pub(super) fn prepare(error: String) -> Prepared {
    *line() = Some(error + "\n");
    Prepared
}

pub(super) struct Prepared;

impl Drop for Prepared {
    fn drop(&mut self) {
        *line() = None;
    }
}
