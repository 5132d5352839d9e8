//! The widest vector instructions of the machine, for loops that the compiler vectorises.

/// A loop over pixels. Its `run` has to be `#[inline(always)]`, and so has everything it calls, or
/// it is compiled for the oldest machine after all.
pub(super) trait Loop {
    /// What the loop computes.
    type Output;

    /// Runs the loop.
    fn run(self) -> Self::Output;
}

/// Runs a loop compiled for the machine it is on.
///
/// The results do not depend on the vector instructions: the compiler vectorises without
/// reordering sums and without fusing multiplications into them.
pub(super) fn vectorised<L: Loop>(work: L) -> L::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx512f")
            && std::is_x86_feature_detected!("avx512dq")
            && std::is_x86_feature_detected!("avx512vl")
        {
            // SAFETY: the machine has the instructions, as was just asked.
            return unsafe { with_avx512(work) };
        }
        if std::is_x86_feature_detected!("avx2") {
            // SAFETY: the machine has the instructions, as was just asked.
            return unsafe { with_avx2(work) };
        }
    }
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,avx512f,avx512dq,avx512vl")]
fn with_avx512<L: Loop>(work: L) -> L::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<L: Loop>(work: L) -> L::Output {
    work.run()
}
