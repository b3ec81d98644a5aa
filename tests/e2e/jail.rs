//! Compiling: in a process of its own, closed in, and never twice; and files that are proved before they are loaded.

use std::collections::HashSet;
use std::convert::Infallible;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream::{Stream, iter};
use hookswitch::artifact::jail::JailSettings;
use hookswitch::artifact::{AdmitError, ArtifactSettings, Artifacts, Prepared, ReceiveError, SmokeLimits};
use hookswitch::call::{Call, CallStatus, Direction, TenantId, Webhook};
use hookswitch::capability::{ConfigValues, Nobody};
use hookswitch::digest::Digest;
use hookswitch::sandbox::{Answer, Compile, Limits, Sandbox, SandboxSettings};
use hookswitch_tests::attack::{self, compile, foreign, imports, memory, voice};

use crate::support::binary;
use crate::support::{alone_on_host_runtime, on_host_runtime};

const LIMITS: SmokeLimits = SmokeLimits { memory_mib: 32, cpu_ms: 100, deadline_ms: 3_000 };
/// Enough for a bomb to be one, and short enough for a test.
const CPU: Duration = Duration::from_secs(6);
const MEMORY_MIB: u64 = 768;

/// As a serving host has it: without a compiler.
static SANDBOX: LazyLock<Arc<Sandbox>> = LazyLock::new(|| {
    let settings =
        SandboxSettings { concurrency_max: 8, compile: Compile::Never, ..SandboxSettings::default() };
    Sandbox::new(&settings).unwrap()
});

struct Place {
    folder: tempfile::TempDir,
    artifacts: Arc<Artifacts>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = open(folder.path(), [7; 32]);
        Self { folder, artifacts }
    }

    /// As after a restart: nothing is in memory.
    fn reopen(&mut self) {
        self.artifacts = open(self.folder.path(), [7; 32]);
    }

    async fn upload(&self, component: &[u8]) -> Digest {
        let digest = Digest::of(component);
        let bytes = self.artifacts.receive(body(component), digest, 64 << 20).await.unwrap();
        assert_eq!(bytes, component.len() as u64);
        digest
    }

    async fn admit(&self, component: &[u8]) -> Result<hookswitch::artifact::Admitted, AdmitError> {
        let digest = self.upload(component).await;
        self.artifacts.admit(&tenant("acme"), &digest, LIMITS).await
    }

    async fn get(&self, digest: &Digest) -> Result<Arc<Prepared>, AdmitError> {
        self.artifacts.get(&SANDBOX, &tenant("acme"), digest).await
    }

    /// The only compiled file.
    fn artifact(&self) -> PathBuf {
        let files = self.files("artifacts");
        assert_eq!(files.len(), 1, "{files:?}");
        files.into_iter().next().unwrap()
    }

    fn files(&self, folder: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

fn open(data: &Path, key: [u8; 32]) -> Arc<Artifacts> {
    let jail = JailSettings {
        program: binary(),
        cpu: CPU,
        memory_bytes: MEMORY_MIB << 20,
        ..JailSettings::default()
    };
    Artifacts::open(data, key, ArtifactSettings { jail, compiles_max: 1, ..ArtifactSettings::default() })
        .unwrap()
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn body(bytes: &[u8]) -> impl Stream<Item = Result<Bytes, Infallible>> + use<> {
    let pieces: Vec<_> = bytes.chunks(10_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    iter(pieces)
}

fn handler() -> Vec<u8> {
    attack::voice_component(attack::OK_VOICE_CORE)
}

/// Another component that answers the same.
fn other_handler() -> Vec<u8> {
    attack::voice_component(&voice::core("", "(func (export \"unused\"))"))
}

/// A handler whose instances run code when they are made.
fn starting(code: &str) -> Vec<u8> {
    attack::voice_component(&voice::core("", &format!("(func $start {code}) (start $start)")))
}

/// Calls it; `<Response/>` is what every handler here answers.
async fn answers(prepared: &Prepared) {
    let call = Call {
        id: "CA00000000000000000000000000000001".into(),
        account: "AC00000000000000000000000000000001".into(),
        from: "+12025550123".into(),
        to: "+12025550199".into(),
        direction: Direction::Inbound,
        status: CallStatus::Ringing,
        step: String::new(),
        digits: None,
        speech: None,
        form: String::new(),
    };
    let nobody = Nobody::new(ConfigValues::default());
    let outcome = SANDBOX.run(prepared, &Limits::default(), nobody.context(), &Webhook::Voice(call)).await;
    assert_eq!(outcome.result, Ok(Answer::Document("<Response/>".into())));
}

#[test]
fn each_bomb_is_refused_by_name_or_compiled_within_its_bounds() {
    alone_on_host_runtime(async {
        let place = Place::new();
        let bomb = &["ok", "compile_timeout", "compile_memory"][..];
        let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
            ("W01 nested loops", compile::nested_loops(2_000), &["limit:loop_nesting"]),
            ("W03 merged locals", compile::merged_locals(4_000), bomb),
            ("W03 too many locals", compile::merged_locals(20_000), &["limit:locals"]),
            ("W05 deep operand stack", compile::deep_operand_stack(20_000), bomb),
            ("W07 indirect calls", compile::indirect_calls(50_000), bomb),
            ("W09 branch tables", compile::br_tables(10, 65_000), &["limit:br_table_total"]),
            ("W11 functions", compile::functions(100_000), &["limit:functions"]),
            ("W13 data segments", compile::data_segments(40_000), &["limit:data_segments"]),
            ("W15 adapters", compile::adapters(6, 300), &["export"]),
            ("W17 empty", foreign::empty(), &["invalid"]),
            ("W17 four bytes", foreign::four_bytes(), &["invalid"]),
            ("W17 version 2", foreign::version_2(), &["invalid"]),
            ("W17 core module", foreign::core_module(), &["unsupported"]),
            ("W19 deep types", foreign::nested_types(300_000), &["limit:component_nesting", "invalid"]),
            ("W21 machine code", foreign::native_artifact(), &["invalid"]),
            ("W23 key values", imports::key_values(), &["import"]),
            ("W23 only cli/run", imports::only_cli_run(), &["export"]),
            ("W25 memory", memory::initial_pages(2_000), &["limit:memory"]),
            ("spins at the start", starting("(loop $on (br $on))"), &["smoke"]),
            ("traps at the start", starting("unreachable"), &["smoke"]),
            ("grows at the start", starting("(drop (memory.grow (i32.const 10000)))"), &["ok"]),
            ("an honest handler", handler(), &["ok"]),
        ];
        for (name, component, expected) in cases {
            let started = Instant::now();
            let admitted = place.admit(&component).await;
            let (outcome, cpu_ms, memory_kib) = match &admitted {
                Ok(admitted) => {
                    let spent = admitted.spent.unwrap();
                    answers(&place.get(&Digest::of(&component)).await.unwrap()).await;
                    ("ok", spent.cpu_ms, spent.memory_kib)
                }
                Err(AdmitError::Refused(error)) => (error.reason.as_str(), error.cpu_ms, 0),
                Err(error) => panic!("{name}: {error}"),
            };
            println!(
                "{name}: {outcome}, {} KiB, {cpu_ms} ms of CPU, {} MiB, {} ms: {}",
                component.len() >> 10,
                memory_kib >> 10,
                started.elapsed().as_millis(),
                admitted.as_ref().err().map(ToString::to_string).unwrap_or_default()
            );
            assert!(expected.contains(&outcome), "{name}: {admitted:?}");
            assert!(cpu_ms <= CPU.as_millis() as u64 + 1_500, "{name}: {cpu_ms} ms");
            assert!(memory_kib <= (MEMORY_MIB + 200) << 10, "{name}: {memory_kib} KiB");
            assert!(started.elapsed() < Duration::from_secs(60), "{name}: {:?}", started.elapsed());
        }
        assert!(
            !place.files("artifacts").iter().any(|file| file.extension().is_some()),
            "nothing unfinished"
        );
    });
}

#[test]
fn what_the_child_compiled_runs_on_a_host_without_a_compiler() {
    on_host_runtime(async {
        let mut place = Place::new();
        let component = handler();
        let admitted = place.admit(&component).await.unwrap();
        assert_eq!(admitted.exports, ["hookswitch:handler/voice@0.1.0"]);
        assert!(admitted.spent.is_some() && admitted.artifact_bytes > 1_000);
        let digest = Digest::of(&component);
        answers(&place.get(&digest).await.unwrap()).await;

        place.reopen();
        assert!(place.artifacts.has_artifact(&tenant("acme"), &digest));
        let again = place.artifacts.admit(&tenant("acme"), &digest, LIMITS).await.unwrap();
        assert_eq!(again.spent, None, "compiled once");
        answers(&place.get(&digest).await.unwrap()).await;
        assert!(SANDBOX.load(&component).is_err(), "the host itself can't");
    });
}

/// The same component with a section of 2 MiB that says nothing but `remark`.
fn large(component: &[u8], remark: u8) -> Vec<u8> {
    let mut large = component.to_vec();
    // A custom section: its id, its length as LEB128, the length of its name, its name, and the rest.
    large.extend([0, 0x80, 0x80, 0x80, 0x01, 1, b'x']);
    large.resize(large.len() + (2 << 20) - 2, remark);
    large
}

#[test]
fn a_large_component_is_compiled_with_what_is_known_of_others_wherever_the_host_began() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        // As `serve` has it without `--data`: named from the folder in which the host was started.
        let up: PathBuf = std::env::current_dir().unwrap().components().skip(1).map(|_| "..").collect();
        let relative = up.join(folder.path().strip_prefix("/").unwrap());
        let place = Place { artifacts: open(&relative, [7; 32]), folder };
        let first = place.admit(&large(&handler(), 1)).await.unwrap().spent.unwrap();
        assert!(first.functions_compiled > 0 && first.functions_reused == 0, "{first:?}");
        let second = place.admit(&large(&handler(), 2)).await.unwrap().spent.unwrap();
        assert!(second.functions_reused > 0, "{second:?}");
    });
}

#[test]
fn equal_bytes_are_one_component_in_memory_whoever_deployed_them() {
    on_host_runtime(async {
        let place = Place::new();
        let component = handler();
        let digest = place.upload(&component).await;
        let (first, second) = (tenant("acme"), tenant("rival"));
        let (first, second) = tokio::join!(
            place.artifacts.admit(&first, &digest, LIMITS),
            place.artifacts.admit(&second, &digest, LIMITS)
        );
        assert_eq!(first.unwrap(), second.unwrap(), "compiled once for both");
        let one = place.get(&digest).await.unwrap();
        let other = place.artifacts.get(&SANDBOX, &tenant("rival"), &digest).await.unwrap();
        assert!(Arc::ptr_eq(&one, &other));
    });
}

#[test]
fn two_hundred_flipped_bits_are_each_found_and_mended() {
    on_host_runtime(async {
        let mut place = Place::new();
        place.admit(&handler()).await.unwrap();
        let digest = Digest::of(&handler());
        let path = place.artifact();
        let good = std::fs::read(&path).unwrap();
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for round in 0..200 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let bit = (random >> 20) as usize % (good.len() * 8);
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, bad).unwrap();
            place.reopen();
            answers(&place.get(&digest).await.unwrap()).await;
            let mended = std::fs::read(place.artifact()).unwrap();
            assert_ne!(mended.len(), 0, "round {round}, bit {bit}");
            place.reopen();
            answers(&place.get(&digest).await.unwrap()).await;
        }
    });
}

#[test]
fn a_file_that_is_not_ours_is_never_loaded() {
    on_host_runtime(async {
        let mut place = Place::new();
        place.admit(&handler()).await.unwrap();
        let digest = Digest::of(&handler());
        let path = place.artifact();
        let good = std::fs::read(&path).unwrap();

        let elsewhere = tempfile::tempdir().unwrap();
        let stranger = open(elsewhere.path(), [8; 32]);
        stranger.receive(body(&handler()), digest, 1 << 20).await.unwrap();
        stranger.admit(&tenant("acme"), &digest, LIMITS).await.unwrap();
        let of_another_key =
            std::fs::read(elsewhere.path().join("artifacts").join(path.file_name().unwrap())).unwrap();
        let neighbour = Place::new();
        neighbour.admit(&other_handler()).await.unwrap();
        let of_another_component = std::fs::read(neighbour.artifact()).unwrap();

        for (name, bytes) in [
            ("of another key", of_another_key),
            ("of another component", of_another_component),
            ("cut off", good[..good.len() / 2].to_vec()),
            ("empty", Vec::new()),
            ("without its seal", good[..good.len() - 36].to_vec()),
            ("longer", [&good[..], b"!"].concat()),
        ] {
            std::fs::write(&path, &bytes).unwrap();
            place.reopen();
            answers(&place.get(&digest).await.unwrap()).await;
            assert_ne!(std::fs::read(&path).unwrap(), bytes, "{name} was replaced");
        }
        std::fs::remove_file(&path).unwrap();
        place.reopen();
        answers(&place.get(&digest).await.unwrap()).await;
        place.artifacts.store().remove(&digest).unwrap();
        place.reopen();
        assert!(matches!(place.get(&digest).await, Err(AdmitError::NoComponent(_))));
    });
}

#[test]
fn an_upload_is_whole_and_what_it_says_or_leaves_nothing() {
    on_host_runtime(async {
        let place = Place::new();
        let component = handler();
        let digest = Digest::of(&component);
        let receive = async |bytes: &[u8], most| place.artifacts.receive(body(bytes), digest, most).await;
        let error = receive(&component[1..], 1 << 20).await.unwrap_err();
        assert!(matches!(error, ReceiveError::Digest { .. }), "{error}");
        let error = receive(&component, component.len() as u64 - 1).await.unwrap_err();
        assert!(matches!(error, ReceiveError::TooLarge { .. }), "{error}");
        let broken = iter([Ok(Bytes::from_static(b"\0asm")), Err("the line went dead")]);
        let error = place.artifacts.receive(broken, digest, 1 << 20).await.unwrap_err();
        assert!(error.to_string().contains("the line went dead"), "{error}");
        assert!(place.files("components").is_empty());

        let (one, other) = tokio::join!(receive(&component, 1 << 20), receive(&component, 1 << 20));
        assert_eq!((one.unwrap(), other.unwrap()), (component.len() as u64, component.len() as u64));
        let files = place.files("components");
        assert_eq!(files.len(), 1);
        assert_eq!(std::fs::metadata(&files[0]).unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(files[0].parent().unwrap()).unwrap().mode() & 0o777, 0o700);
        let kept = place.artifacts.collect_garbage(HashSet::new()).await.unwrap();
        assert_eq!(kept, 0, "what was uploaded a moment ago stays");
    });
}

#[test]
fn a_folder_that_others_may_write_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), [7; 32]));
    let artifacts = folder.path().join("artifacts");
    std::fs::set_permissions(&artifacts, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let error =
        Artifacts::open(folder.path(), [7; 32], ArtifactSettings::default()).err().unwrap().to_string();
    assert!(error.contains("others may write") && error.contains("chmod 700"), "{error}");
}

/// Processes that compile and whose parent is `parent`.
fn compilers(parent: u32) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let read = |file: &str| std::fs::read_to_string(entry.path().join(file)).unwrap_or_default();
        let stat = read("stat");
        let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        if after_name.split(' ').nth(1) == Some(&parent.to_string())
            && read("cmdline").contains("compile-component")
        {
            found.push(pid);
        }
    }
    found
}

async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn kill(pid: i32) {
    assert!(Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success());
}

#[test]
fn a_compile_that_nobody_waits_for_or_that_is_killed_leaves_nothing() {
    // Alone: it looks for the children of this process.
    alone_on_host_runtime(async {
        let place = Place::new();
        let digest = place.upload(&compile::deep_operand_stack(20_000)).await;
        let us = std::process::id();
        let waiting = tokio::spawn({
            let artifacts = Arc::clone(&place.artifacts);
            async move { artifacts.admit(&tenant("acme"), &digest, LIMITS).await }
        });
        until("a child compiles", || compilers(us).first().copied()).await;
        waiting.abort();
        until("the child is gone", || compilers(us).is_empty().then_some(())).await;
        until("its file is gone", || place.files("artifacts").is_empty().then_some(())).await;

        let (artifacts, acme) = (Arc::clone(&place.artifacts), tenant("acme"));
        let killed = tokio::spawn(async move { artifacts.admit(&acme, &digest, LIMITS).await });
        kill(until("a child compiles", || compilers(us).first().copied()).await);
        let Err(AdmitError::Refused(error)) = killed.await.unwrap() else { panic!("it was refused") };
        assert_eq!(error.reason, "compile_memory", "{error}");
        assert!(place.files("artifacts").is_empty());
        place.admit(&handler()).await.expect("the next one is compiled");
    });
}

#[test]
fn a_compile_ends_with_the_host_that_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("bomb.wasm");
    std::fs::write(&component, compile::deep_operand_stack(20_000)).unwrap();
    // A shell for a host: it starts the child as a host does, and waits.
    let bounds = "--cpu-s=20 --memory-bytes=1000000000 --file-bytes=100000000 --code-bytes=100000000 --memory-mib-max=256";
    let script = format!("\"$0\" compile-component --host=$$ {bounds} < \"$1\" > \"$1.out\" & wait");
    on_host_runtime(async {
        // Begun here, not before: what waits for a test that must be alone would wait out the compile, too.
        let mut host = Command::new("sh")
            .args(["-c", &script])
            .arg(binary())
            .arg(&component)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let child = until("it compiles", || compilers(host.id()).first().copied()).await;
        // In the midst of it: the walls are up.
        let status = format!("/proc/{child}/status");
        until("the filter is in force", || {
            std::fs::read_to_string(&status).ok()?.contains("Seccomp:\t2").then_some(())
        })
        .await;
        host.kill().unwrap();
        host.wait().unwrap();
        until("the child is gone", || (!Path::new(&status).exists()).then_some(())).await;
    });
    let output = std::fs::File::open(folder.path().join("bomb.wasm.out")).unwrap();
    assert_eq!(output.read_at(&mut [0], 0).unwrap(), 0, "nothing was written");
}

#[test]
fn a_compiler_whose_host_is_another_process_does_nothing() {
    let output = Command::new(binary())
        .args([
            "compile-component",
            "--host=1",
            "--cpu-s=1",
            "--memory-bytes=100000000",
            "--file-bytes=1000",
            "--code-bytes=1000",
        ])
        .args(["--memory-mib-max=256"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("the host is gone"), "{output:?}");
}
