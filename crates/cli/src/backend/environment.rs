//! Sets variables that LibTorch, OpenMP and the C library read while they are loaded. So the command has to
//! start itself again, once.

#[cfg(all(unix, feature = "tch"))]
use std::env::var_os;

/// In TF32, NVIDIA's libraries multiply with 10 bits of each number's 23. LibTorch lets them do so in convolutions
/// unless this variable of theirs is 0.
#[cfg(all(unix, feature = "tch"))]
const TF32: (&str, &str) = ("NVIDIA_TF32_OVERRIDE", "0");

/// How often OpenMP's idle threads look for work before they sleep: until a network's next operation has had time to
/// come. If they slept at once, each operation would have to wake them; with OpenMP's own choice they would take the
/// cores from the histogram kernels between LibTorch's operations.
#[cfg(all(target_os = "linux", feature = "tch"))]
const SPIN: (&str, &str) = ("GOMP_SPINCOUNT", "20000");

/// The variable in which the user may have chosen that.
#[cfg(all(target_os = "linux", feature = "tch"))]
const WAITING: &str = "OMP_WAIT_POLICY";

/// Each step allocates the same large tensors. Without these variables glibc returns the memory to the system
/// after a step and gets it again in the next one, page by page, filled with zeros.
#[cfg(all(target_os = "linux", feature = "tch"))]
const MEMORY: [(&str, &str); 3] = [
    ("MALLOC_MMAP_MAX_", "0"),
    ("MALLOC_TRIM_THRESHOLD_", "100000000000"),
    ("MALLOC_TOP_PAD_", "268435456"),
];

/// Sets the variables that keep LibTorch from rounding to TF32 on NVIDIA's cards, unless `tf32` allows it, and
/// that make it fast on the CPU. Variables that the user has set stay.
///
/// # Errors
///
/// If the command cannot be started again.
pub(crate) fn set(tf32: bool) -> std::io::Result<()> {
    #[cfg(all(unix, feature = "tch"))]
    {
        let wanted: Vec<_> = wanted(tf32)
            .into_iter()
            .filter(|(name, _)| var_os(name).is_none())
            .collect();
        if !wanted.is_empty() {
            return Err(again(&wanted)?);
        }
    }
    let _ = tf32;
    Ok(())
}

#[cfg(all(unix, feature = "tch"))]
fn wanted(tf32: bool) -> Vec<(&'static str, &'static str)> {
    let mut wanted = Vec::new();
    #[cfg(target_os = "linux")]
    {
        wanted.extend(MEMORY);
        wanted.extend(var_os(WAITING).is_none().then_some(SPIN));
    }
    if !tf32 && tch::utils::has_cuda() {
        wanted.push(TF32);
    }
    wanted
}

/// Replaces this process by the same command with these variables set. It returns only if that fails, with the reason.
#[cfg(all(unix, feature = "tch"))]
fn again(variables: &[(&str, &str)]) -> std::io::Result<std::io::Error> {
    use std::os::unix::process::CommandExt;

    let mut arguments = std::env::args_os();
    let mut command = std::process::Command::new(std::env::current_exe()?);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    let variables = variables.iter().copied();
    Ok(command.args(arguments).envs(variables).exec())
}
