//! What is known of the card: its name, its driver, and how much of its memory is in use.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::process;

/// A graphics card.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Card {
    pub(super) name: String,
    pub(super) driver: String,
    /// Whether NVIDIA's tool tells of it.
    pub(super) is_nvidia: bool,
}

/// Longer than a working driver takes to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The first card that NVIDIA's tool lists, otherwise the first device that Vulkan's lists.
pub(super) fn card(logs: &Path) -> Option<Card> {
    let mut smi = Command::new(SMI);
    smi.args(["--query-gpu=name,driver_version", "--format=csv,noheader"]);
    let said = asked(&mut smi, &logs.join("nvidia-smi.txt"));
    said.and_then(|said| of_smi(&said)).or_else(|| {
        let mut vulkan = Command::new("vulkaninfo");
        let said = asked(vulkan.arg("--summary"), &logs.join("vulkaninfo.txt"));
        of_vulkan(&said?)
    })
}

fn asked(command: &mut Command, log: &Path) -> Option<String> {
    let ended = process::run(command, log, PATIENCE);
    let Ok(ended) = ended else {
        // The tool is not there, and its empty log says nothing.
        let _ = std::fs::remove_file(log);
        return None;
    };
    ended.problem.is_none().then_some(ended.output)
}

/// `NVIDIA H200, 580.65.06`, a line for each card.
fn of_smi(said: &str) -> Option<Card> {
    let (name, driver) = said.lines().next()?.split_once(", ")?;
    Some(Card {
        name: name.trim().to_owned(),
        driver: driver.trim().to_owned(),
        is_nvidia: true,
    })
}

/// The lines `deviceName = …` and `driverInfo = …` of the first device.
fn of_vulkan(said: &str) -> Option<Card> {
    let value = |name: &str| {
        said.lines().find_map(|line| {
            let value = line.trim().strip_prefix(name)?.trim_start();
            Some(value.strip_prefix('=')?.trim().to_owned())
        })
    };
    Some(Card {
        name: value("deviceName")?,
        driver: value("driverInfo").unwrap_or_default(),
        is_nvidia: false,
    })
}

/// The date of today in UTC, `2026-11-30`.
pub(super) fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

/// NVIDIA's tool.
const SMI: &str = "nvidia-smi";

/// NVIDIA's tool, printing the memory that is in use on the first card, in mebibytes, five times a second.
pub(super) fn memory_in_use() -> Command {
    let mut smi = Command::new(SMI);
    smi.args(["--id=0", "--query-gpu=memory.used"]);
    smi.args(["--format=csv,noheader,nounits", "--loop-ms=200"]);
    smi
}

/// Longer than the tool takes for its first line.
const FIRST_LINE: Duration = Duration::from_secs(5);

/// Watches the memory of a card.
pub(super) struct Memory {
    tool: Child,
    reader: JoinHandle<()>,
    before: u64,
    most: Arc<AtomicU64>,
}

impl Memory {
    /// Starts `tool`, which prints the mebibytes in use, a line each time. There is nothing to watch if it prints
    /// none.
    pub(super) fn watch(mut tool: Command) -> Option<Self> {
        tool.stdin(Stdio::null()).stderr(Stdio::null());
        let mut tool = tool.stdout(Stdio::piped()).spawn().ok()?;
        let lines = BufReader::new(tool.stdout.take()?).lines();
        let most = Arc::new(AtomicU64::new(0));
        let (first, begun) = mpsc::channel();
        let shared = Arc::clone(&most);
        let reader = thread::spawn(move || {
            let numbers = lines.map_while(Result::ok);
            for used in numbers.filter_map(|line| line.trim().parse().ok()) {
                shared.fetch_max(used, Ordering::Relaxed);
                // Only the first one is waited for.
                let _ = first.send(used);
            }
        });
        match begun.recv_timeout(FIRST_LINE) {
            Ok(before) => Some(Self {
                tool,
                reader,
                before,
                most,
            }),
            Err(_) => {
                end(tool, reader);
                None
            }
        }
    }

    /// The most memory that was in use since, less what was in use at the beginning.
    pub(super) fn most(self) -> u64 {
        end(self.tool, self.reader);
        let most = self.most.load(Ordering::Relaxed);
        most.saturating_sub(self.before)
    }
}

fn end(mut tool: Child, reader: JoinHandle<()>) {
    // It may have ended by itself.
    let _ = tool.kill();
    let _ = tool.wait();
    let _ = reader.join();
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::process::tests::sh;
    use super::*;

    #[test]
    fn the_tools_name_card_and_driver() {
        let card = of_smi("NVIDIA H200, 580.65.06\nNVIDIA H200, 580.65.06\n").unwrap();
        assert_eq!((&*card.name, &*card.driver), ("NVIDIA H200", "580.65.06"));
        assert_eq!(of_smi("No devices were found\n"), None);

        let said = "Devices:\n========\nGPU0:\n\tdriverVersion      = 22.3.6\n\
            \tdeviceName         = llvmpipe (LLVM 15.0.6, 256 bits)\n\
            \tdriverInfo         = Mesa 22.3.6 (LLVM 15.0.6)\nGPU1:\n\tdeviceName = another\n";
        let card = of_vulkan(said).unwrap();
        assert_eq!(card.name, "llvmpipe (LLVM 15.0.6, 256 bits)");
        assert_eq!(card.driver, "Mesa 22.3.6 (LLVM 15.0.6)");
        assert!(!card.is_nvidia);
    }

    #[test]
    fn a_date_has_year_month_and_day() {
        let parts: Vec<usize> = today().split('-').map(str::len).collect();
        assert_eq!(parts, [4, 2, 2]);
    }

    #[test]
    fn the_most_memory_is_counted_from_the_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let done = folder.path().join("done");
        let script = format!(
            "echo 100; echo 900; echo 300; touch {}; exec sleep 600",
            done.display()
        );
        let memory = Memory::watch(sh(&script)).unwrap();
        while !done.exists() {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(memory.most(), 800);
        assert!(Memory::watch(sh("echo no devices")).is_none());
    }
}
