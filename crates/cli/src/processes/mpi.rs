//! A group of processes that talk by MPI, from memory of the host.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::ManuallyDrop;

use huenet_tasks::Group;
use mpi::Threading;
use mpi::collective::CommunicatorCollectives;
use mpi::datatype::PartitionMut;
use mpi::environment::Universe;
use mpi::topology::{Communicator, SimpleCommunicator};

/// The name and the version of the library.
pub(super) fn library() -> String {
    let version = mpi::environment::library_version().unwrap_or_default();
    let name = version.split([',', '\n', '\0']).next();
    name.unwrap_or_default().trim().to_owned()
}

/// The last byte of each message.
const END: u8 = 0;

/// A process of MPI's world.
pub(super) struct Mpi {
    /// Dropped only when all processes part: to leave MPI waits for the others, which a process that fails must not.
    universe: ManuallyDrop<Universe>,
    world: SimpleCommunicator,
}

impl Mpi {
    /// Joins the others; `None` if that was done already.
    pub(super) fn start() -> Option<Self> {
        // Only the thread that trains talks to other processes.
        let (universe, _) = mpi::initialize_with_threading(Threading::Funneled)?;
        let world = universe.world();
        Some(Self {
            universe: ManuallyDrop::new(universe),
            world,
        })
    }

    /// The threads that this process may use of its machine, divided among the processes that may use the same.
    pub(super) fn threads(&self) -> usize {
        let allowed = std::thread::available_parallelism().map_or(1, usize::from);
        let here = self.world.split_shared(self.world.rank());
        let own = cores();
        let mut of_all = vec![0; usize::try_from(here.size()).unwrap_or(1)];
        here.all_gather_into(&own, &mut of_all[..]);
        let sharing = of_all.into_iter().filter(|cores| *cores == own).count();
        (allowed / sharing.max(1)).max(1)
    }

    /// Leaves MPI, which all processes have to do.
    pub(super) fn part(self) {
        let Self { universe, world } = self;
        drop(world);
        drop(ManuallyDrop::into_inner(universe));
    }
}

/// Stands for the cores that this process may use: equal for processes that may use the same.
fn cores() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let cores = status
        .lines()
        .find(|line| line.starts_with("Cpus_allowed_list:"));
    let mut hasher = DefaultHasher::new();
    cores.hash(&mut hasher);
    hasher.finish()
}

impl Group for Mpi {
    fn rank(&self) -> usize {
        usize::try_from(self.world.rank()).unwrap_or(0)
    }

    fn size(&self) -> usize {
        usize::try_from(self.world.size()).unwrap_or(1)
    }

    fn exchange(&self, parts: &mut Vec<f32>) {
        let mut received = vec![0.0; parts.len()];
        self.world.all_to_all_into(&parts[..], &mut received[..]);
        *parts = received;
    }

    fn gather(&self, own: &[f32]) -> Vec<f32> {
        let mut all = vec![0.0; own.len() * self.size()];
        self.world.all_gather_into(own, &mut all[..]);
        all
    }

    fn tell(&self, own: &[u8]) -> Vec<Vec<u8>> {
        // The address of nothing may be the one that stands for "in place" in MPI: no message is empty.
        let own = [own, &[END]].concat();
        let length = count(own.len());
        let mut lengths = vec![0; self.size()];
        self.world.all_gather_into(&length, &mut lengths[..]);
        let starts: Vec<i32> = lengths
            .iter()
            .scan(0, |next, length| {
                Some(std::mem::replace(next, *next + length))
            })
            .collect();
        let whole: i32 = lengths.iter().sum();
        let mut all = vec![0u8; usize::try_from(whole).unwrap_or(0)];
        let mut parts = PartitionMut::new(&mut all[..], &lengths[..], &starts[..]);
        self.world.all_gather_varcount_into(&own[..], &mut parts);
        let mut rest = all.as_slice();
        lengths
            .iter()
            .map(|length| {
                let (told, others) = rest.split_at(usize::try_from(*length).unwrap_or(0));
                rest = others;
                told.strip_suffix(&[END]).unwrap_or(told).to_vec()
            })
            .collect()
    }
}

/// A length as MPI counts.
///
/// # Panics
///
/// From 2 GiB on: no message is that long.
fn count(length: usize) -> i32 {
    i32::try_from(length).expect("a message is shorter than 2 GiB")
}
