//! Under which conditions figures were taken: the machine, and which core does what.

use std::process::{Command, Stdio};

/// The core of the servers.
pub const SERVER_CORE: usize = 0;
/// The core of the carrier.
const CARRIER_CORE: usize = 1;

/// Whether server and carrier are kept to their cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinned {
    /// By `taskset`.
    Yes,
    /// There is no `taskset`, or one core only.
    No,
}

/// Keeps this process to the carrier's core. Build guests before: compilers would inherit it.
pub fn pin_carrier() -> Pinned {
    let two_cores = std::thread::available_parallelism().is_ok_and(|cores| cores.get() >= 2);
    let pinned = two_cores
        && Command::new("taskset")
            .args(["-a", "-c", "-p", &CARRIER_CORE.to_string(), &std::process::id().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
    if pinned { Pinned::Yes } else { Pinned::No }
}

/// Prints the machine, the build and who runs where.
pub fn print_conditions(pinned: Pinned) {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let processor = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    println!("processor   {} × {}", cores, processor.map_or("unknown", |(_, name)| name));
    println!("kernel      {}", read("/proc/sys/kernel/osrelease").trim());
    println!("load        {} (1, 5, 15 minutes, before the run)", first_words(&read("/proc/loadavg"), 3));
    println!(
        "build       hookswitch {}{}",
        env!("CARGO_PKG_VERSION"),
        if cfg!(debug_assertions) { ", NOT OPTIMISED: its figures mean nothing" } else { "" }
    );
    match pinned {
        Pinned::Yes => {
            println!("cores       servers on {SERVER_CORE}, carrier on {CARRIER_CORE}, by taskset")
        }
        Pinned::No => println!("cores       not pinned: there is no taskset or no second core"),
    }
}

fn first_words(text: &str, count: usize) -> String {
    text.split(' ').take(count).collect::<Vec<_>>().join(" ")
}
