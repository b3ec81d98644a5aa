//! The walls around the process that compiles. It puts them up itself, before it reads a byte of the component.
//!
//! Who takes over the compiler finds a process without files, without sockets, without children, without capabilities,
//! with so much memory and so much time. Each wall stands without the others: limits of the kernel bound what is used,
//! landlock takes away files and the network, a filter leaves only the system calls that compiling and one start need.
//!
//! Nothing here is undone; it works for the thread that calls it and for those that it starts later, so it is called before
//! there is a second thread.

use std::collections::BTreeMap;
use std::io;

use landlock::{ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetStatus, Scope};
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use super::report::Confined;

/// What the process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// CPU time, in whole seconds.
    pub cpu_s: u64,
    /// Private memory that can be written, in bytes.
    pub memory_bytes: u64,
    /// The largest file, in bytes.
    pub file_bytes: u64,
}

/// Why the walls can't be put up; then nothing is compiled.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    /// A limit, the priority, the capabilities.
    #[error("{what}: {cause}")]
    Kernel {
        /// What was being done.
        what: &'static str,
        /// What the kernel says.
        cause: rustix::io::Errno,
    },
    /// The child outlived its host before it had begun.
    #[error("the host is gone")]
    Orphan,
    /// The rules on files.
    #[error("landlock: {0}")]
    Landlock(#[from] landlock::RulesetError),
    /// The filter.
    #[error("seccomp: {0}")]
    Filter(#[from] seccompiler::Error),
    /// The filter's text.
    #[error("seccomp: {0}")]
    Rules(#[from] seccompiler::BackendError),
}

/// Address space beyond the memory itself: the binary, and places for one instance, which reserve and do not use.
const ADDRESS_SPACE_BESIDE_BYTES: u64 = 192 << 30;
/// Standard input, output and error, a function cache in and out, and a few for a moment.
const OPEN_FILES_MAX: u64 = 16;

/// Puts up every wall. `host` is the process that started this one.
///
/// # Errors
/// [`ConfineError`]; only landlock may be missing.
pub fn confine(bounds: &Bounds, host: u32) -> Result<Confined, ConfineError> {
    die_with(host)?;
    stand_back()?;
    limit(bounds)?;
    drop_capabilities()?;
    let confined = close_files()?;
    filter_calls()?;
    Ok(confined)
}

/// With a host that was killed, this ends, too.
fn die_with(host: u32) -> Result<(), ConfineError> {
    let explain = |cause| ConfineError::Kernel { what: "signal at the host's end", cause };
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(explain)?;
    let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().cast_unsigned());
    if parent == Some(host) { Ok(()) } else { Err(ConfineError::Orphan) }
}

/// Live calls come first: for the processor, and when memory runs out.
fn stand_back() -> Result<(), ConfineError> {
    rustix::process::setpriority_process(None, 10)
        .map_err(|cause| ConfineError::Kernel { what: "priority", cause })?;
    // Where there is no /proc the kernel chooses by size.
    let _best_effort = std::fs::write("/proc/self/oom_score_adj", "1000");
    Ok(())
}

fn limit(bounds: &Bounds) -> Result<(), ConfineError> {
    let address_space = bounds.memory_bytes.saturating_add(ADDRESS_SPACE_BESIDE_BYTES);
    for (what, resource, soft, hard) in [
        // The first ends with a signal that says why, the second comes if that one was caught.
        ("limit on CPU time", Resource::Cpu, bounds.cpu_s, bounds.cpu_s + 1),
        // Counts memory that can be written, however it was got. The address space says little: instances reserve
        // gigabytes of it and touch none.
        ("limit on memory", Resource::Data, bounds.memory_bytes, bounds.memory_bytes),
        ("limit on address space", Resource::As, address_space, address_space),
        ("limit on file size", Resource::Fsize, bounds.file_bytes, bounds.file_bytes),
        ("limit on open files", Resource::Nofile, OPEN_FILES_MAX, OPEN_FILES_MAX),
        ("limit on locked memory", Resource::Memlock, 0, 0),
        ("limit on core dumps", Resource::Core, 0, 0),
        // None on processes: it would count our user's others, too. The filter below lets no process be made.
    ] {
        setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) })
            .map_err(|cause| ConfineError::Kernel { what, cause })?;
    }
    Ok(())
}

/// Whoever we run as, root too, keeps nothing beyond the rights of its name.
fn drop_capabilities() -> Result<(), ConfineError> {
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, sets)
        .map_err(|cause| ConfineError::Kernel { what: "capabilities", cause })
}

/// Leaves no file but those that are open, and no network.
fn close_files() -> Result<Confined, ConfineError> {
    // The newest that this list of rights was read with; an older kernel enforces what it knows of them.
    let abi = ABI::V6;
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Confined::Fully,
        RulesetStatus::PartiallyEnforced => Confined::Partly,
        RulesetStatus::NotEnforced => Confined::ByFilterOnly,
    })
}

/// Leaves the system calls that compiling and one start need; every other one fails with `EPERM`.
fn filter_calls() -> Result<(), ConfineError> {
    let arch = std::env::consts::ARCH.try_into()?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        PLAIN_CALLS.iter().map(|call| (*call, Vec::new())).collect();
    // Memory of its own only: what is shared is not counted by the limit on memory.
    rules.insert(libc::SYS_mmap, vec![masked(3, MAP_TYPE, libc::MAP_PRIVATE)?]);
    // A thread, as the ticker is one; never a process.
    rules.insert(libc::SYS_clone, vec![masked(0, libc::CLONE_THREAD, libc::CLONE_THREAD)?]);
    // A signal to itself, as an abort is one.
    let own = rustix::process::getpid().as_raw_nonzero().get();
    rules.insert(libc::SYS_tgkill, vec![masked(0, -1, own)?]);
    for absent in ABSENT_CALLS {
        rules.insert(*absent, Vec::new());
    }
    let refused = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let leave: BpfProgram = SeccompFilter::new(rules, refused, SeccompAction::Allow, arch)?.try_into()?;
    // Of two filters the stricter answer counts, so these are allowed above and absent below.
    let absent = ABSENT_CALLS.iter().map(|call| (*call, Vec::new())).collect();
    let missing = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let lack: BpfProgram = SeccompFilter::new(absent, SeccompAction::Allow, missing, arch)?.try_into()?;
    seccompiler::apply_filter(&lack)?;
    seccompiler::apply_filter(&leave)?;
    Ok(())
}

/// The bits of `mmap`'s flags that say what kind of mapping it is.
const MAP_TYPE: i32 = 0x0f;

/// A rule on the bits of one argument.
fn masked(argument: u8, mask: i32, value: i32) -> Result<SeccompRule, seccompiler::BackendError> {
    let mask = u64::from(mask.cast_unsigned());
    let operator = SeccompCmpOp::MaskedEq(mask);
    let value = u64::from(value.cast_unsigned());
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?])
}

/// Calls that are answered as an older kernel would, so that the C library and the engine take another way: `clone3`,
/// whose flags a filter can't see, gives way to `clone`; `memfd_create`, whose memory nothing counts, to plain copies.
const ABSENT_CALLS: &[libc::c_long] = &[libc::SYS_clone3, libc::SYS_memfd_create];

/// Calls that are allowed whatever their arguments. None opens, connects, starts, signals another process or changes what
/// this one may do.
const PLAIN_CALLS: &[libc::c_long] = &[
    // The files that are open.
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_statx,
    libc::SYS_close,
    libc::SYS_fcntl,
    // Memory of its own.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    // Threads and what they wait for.
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_restart_syscall,
    // Traps of the guest.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    // Time and random numbers.
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_getrandom,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
];

impl From<ConfineError> for io::Error {
    fn from(error: ConfineError) -> Self {
        io::Error::other(error)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::UnixStream;
    use std::path::Path;
    use std::process::Command;

    use super::*;

    /// Tells the test that runs below that it is the process inside.
    const INSIDE: &str = "HOOKSWITCH_TEST_INSIDE";

    /// Runs `inside` in a process of its own, since there is no way back.
    #[test]
    fn what_takes_over_the_compiler_finds_nothing() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "of the host").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "artifact::jail::confine::tests::inside", "--ignored", "--nocapture"])
            .arg("--test-threads=1")
            .env(INSIDE, outside.path())
            .env("PORT", listener.local_addr().unwrap().port().to_string())
            .output()
            .unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("all walls stand"), "{said}");
        assert!(!outside.path().join("new").exists());
        let kernel_has_landlock = Path::new("/sys/kernel/security/landlock").exists()
            || std::fs::read_to_string("/sys/kernel/security/lsm").is_ok_and(|lsm| lsm.contains("landlock"));
        assert!(!kernel_has_landlock || said.contains("Fully") || said.contains("Partly"), "{said}");
    }

    #[test]
    #[ignore = "closes in the process it runs in; the test above starts it"]
    fn inside() {
        let outside = std::path::PathBuf::from(std::env::var_os(INSIDE).expect("only from the test above"));
        let port: u16 = std::env::var("PORT").unwrap().parse().unwrap();
        let parent = rustix::process::getppid().unwrap();
        let open_before = std::fs::File::open(outside.join("secret")).unwrap();
        let bounds = Bounds { cpu_s: 10, memory_bytes: 512 << 20, file_bytes: 1 << 20 };
        let confined = confine(&bounds, parent.as_raw_nonzero().get().cast_unsigned()).unwrap();

        let denied = |what: &str, result: io::Result<()>| {
            let error = result.expect_err(what);
            let denied =
                [io::ErrorKind::PermissionDenied, io::ErrorKind::Unsupported].contains(&error.kind());
            assert!(denied, "{what}: {error}");
        };
        denied("reading a file", std::fs::read(outside.join("secret")).map(drop));
        denied("making a file", std::fs::write(outside.join("new"), ""));
        denied("removing a file", std::fs::remove_file(outside.join("secret")));
        denied("listing a folder", std::fs::read_dir(&outside).map(drop));
        denied("reading /proc", std::fs::read("/proc/self/environ").map(drop));
        denied("connecting", TcpStream::connect(("127.0.0.1", port)).map(drop));
        denied("listening", TcpListener::bind("127.0.0.1:0").map(drop));
        denied("sending", UdpSocket::bind("127.0.0.1:0").map(drop));
        denied("a pair of sockets", UnixStream::pair().map(drop));
        denied("starting a program", Command::new("/bin/true").status().map(drop));
        denied("signalling the host", rustix::process::test_kill_process(parent).map_err(Into::into));
        denied(
            "more rights",
            rustix::process::setrlimit(Resource::Nofile, Rlimit { current: Some(16), maximum: Some(16) })
                .map_err(Into::into),
        );
        denied("a pipe", io::pipe().map(drop));
        // What compiling needs goes on.
        let mut text = String::new();
        io::Read::read_to_string(&mut &open_before, &mut text).unwrap();
        assert_eq!(text, "of the host");
        assert_eq!(std::thread::spawn(|| 7).join().unwrap(), 7);
        assert_eq!(vec![1_u8; 64 << 20].len(), 64 << 20);
        assert!(Vec::<u8>::new().try_reserve(1 << 30).is_err(), "more memory than the limit");
        println!("all walls stand: {confined:?}");
        // Without the test harness's own ending, which would want to do what is denied.
        std::process::exit(0);
    }
}
