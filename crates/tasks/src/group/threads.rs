//! A group of threads, for tests.

use std::sync::{Barrier, Mutex};

use crate::group::members::Group;

/// What the threads have told one another.
struct Board {
    all: Barrier,
    told: Mutex<Vec<Vec<u8>>>,
}

/// A thread of the group.
struct Member<'a> {
    rank: usize,
    size: usize,
    board: &'a Board,
}

/// What each of `size` threads gives that do `work` together, in order of rank.
pub(crate) fn run<T: Send>(size: usize, work: impl Fn(&dyn Group) -> T + Sync) -> Vec<T> {
    let board = &Board {
        all: Barrier::new(size),
        told: Mutex::new(vec![Vec::new(); size]),
    };
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..size)
            .map(|rank| scope.spawn(move || work(&Member { rank, size, board })))
            .collect();
        let threads = threads.into_iter();
        threads
            .map(|thread| thread.join().expect("no thread panics"))
            .collect()
    })
}

impl Group for Member<'_> {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn exchange(&self, parts: &mut Vec<f32>) {
        let part = parts.len() / self.size;
        let all = self.gather(parts);
        let mut mine = Vec::with_capacity(parts.len());
        for of_member in all.chunks_exact((part * self.size).max(1)) {
            mine.extend_from_slice(&of_member[self.rank * part..(self.rank + 1) * part]);
        }
        *parts = mine;
    }

    fn gather(&self, own: &[f32]) -> Vec<f32> {
        let bytes: Vec<u8> = own.iter().flat_map(|value| value.to_le_bytes()).collect();
        let all = self.tell(&bytes).concat();
        let (values, _) = all.as_chunks::<4>();
        values
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect()
    }

    fn tell(&self, own: &[u8]) -> Vec<Vec<u8>> {
        self.board.told.lock().unwrap()[self.rank] = own.to_vec();
        self.board.all.wait();
        let all = self.board.told.lock().unwrap().clone();
        self.board.all.wait();
        all
    }
}
