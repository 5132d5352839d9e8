//! The processes of `huenet` that were started together, by `mpirun` or `srun`.

#[cfg(feature = "mpi")]
mod mpi;

use huenet_tasks::{Alone, Group};

/// The processes that were started together, of which this is one.
pub(crate) struct Processes {
    #[cfg(feature = "mpi")]
    mpi: Option<mpi::Mpi>,
}

/// Several processes were started together that cannot train together.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} processes were started together, but this huenet was built without MPI; start it with `cargo xtask train \
     --processes {0}`, or build it with `--features huenet-cli/mpi`"
)]
pub(crate) struct NotTogether(usize);

impl Processes {
    /// Meets the processes that were started together with this one.
    ///
    /// # Errors
    ///
    /// [`NotTogether`] if there are others, and this build cannot talk to them.
    #[cfg(feature = "mpi")]
    pub(crate) fn meet() -> Result<Self, NotTogether> {
        // By itself a process needs no MPI, whose start takes time.
        let mpi = started_together().map(|size| mpi::Mpi::start().ok_or(NotTogether(size)));
        Ok(Self {
            mpi: mpi.transpose()?,
        })
    }

    /// Meets the processes that were started together with this one.
    ///
    /// # Errors
    ///
    /// [`NotTogether`] if there are others, since this build cannot talk to them.
    #[cfg(not(feature = "mpi"))]
    pub(crate) fn meet() -> Result<Self, NotTogether> {
        match started_together() {
            Some(size) if size > 1 => Err(NotTogether(size)),
            _ => Ok(Self {}),
        }
    }

    /// All of them, this one included.
    pub(crate) fn group(&self) -> &dyn Group {
        #[cfg(feature = "mpi")]
        if let Some(mpi) = &self.mpi {
            return mpi;
        }
        &Alone
    }

    /// How many threads each of them is to compute with, if `chosen` is 0, which leaves that to the machine: as many as
    /// it has, divided among those that run on it. 0 for a process by itself.
    pub(crate) fn threads(&self, chosen: usize) -> usize {
        #[cfg(feature = "mpi")]
        if let Some(mpi) = &self.mpi
            && chosen == 0
        {
            return mpi.threads();
        }
        chosen
    }

    /// Parts from the others, which all have to do. A process that ends without it ends the others as well.
    pub(crate) fn part(self) {
        #[cfg(feature = "mpi")]
        if let Some(mpi) = self.mpi {
            mpi.part();
        }
    }
}

/// The library with which processes talk, or how to get a build that has one.
pub(crate) fn library() -> String {
    #[cfg(feature = "mpi")]
    return mpi::library();
    #[cfg(not(feature = "mpi"))]
    "not compiled in; build it with `cargo xtask train --processes 2`".to_owned()
}

/// How many processes were started together, if a launcher of MPI says so: Open MPI's and MPICH's `mpirun`, or `srun`.
fn started_together() -> Option<usize> {
    let number = |name: &str| std::env::var(name).ok()?.parse().ok();
    let sizes = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];
    let by_srun = std::env::var_os("PMIX_RANK").and_then(|_| number("SLURM_NTASKS"));
    sizes.into_iter().find_map(number).or(by_srun)
}
