//! What it takes to have a component ready that is not in memory: to prove its file, and to map and link it.
//!
//! `cargo bench --bench artifact -- FILE.wasm…` compiles each in the jail, in a folder of its own, then drops and gets it
//! again; the file itself stays in the page cache. `compile` is from admission to the sealed file, by the wall.
#![allow(missing_docs, clippy::unwrap_used)]

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream::iter;
use hookswitch::artifact::jail::JailSettings;
use hookswitch::artifact::{ArtifactSettings, Artifacts, SmokeLimits};
use hookswitch::call::TenantId;
use hookswitch::digest::Digest;
use hookswitch::sandbox::{Compile, Sandbox, SandboxSettings};

const LIMITS: SmokeLimits = SmokeLimits { memory_mib: 64, cpu_ms: 1_000, deadline_ms: 5_000 };
const ROUNDS: usize = 200;

fn main() {
    let files: Vec<PathBuf> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).map(PathBuf::from).collect();
    assert!(!files.is_empty(), "usage: cargo bench --bench artifact -- FILE.wasm…");
    let settings = SandboxSettings { compile: Compile::Never, ..SandboxSettings::default() };
    let sandbox = Sandbox::new(&settings).unwrap();
    hookswitch::host::runtime().unwrap().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        // The command beside this bench.
        let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("hookswitch");
        let jail = JailSettings { program, ..JailSettings::default() };
        let settings = ArtifactSettings { jail, ..ArtifactSettings::default() };
        let artifacts = Artifacts::open(folder.path(), [7; 32], settings).unwrap();
        for file in files {
            measure(&artifacts, &sandbox, &file).await;
        }
    });
}

async fn measure(artifacts: &Artifacts, sandbox: &Arc<Sandbox>, file: &PathBuf) {
    let bytes = std::fs::read(file).unwrap();
    let (digest, tenant) = (Digest::of(&bytes), TenantId::new("bench").unwrap());
    let component_kib = bytes.len() >> 10;
    let body = iter([Ok::<_, Infallible>(Bytes::from(bytes))]);
    let started = Instant::now();
    artifacts.receive(body, digest, 64 << 20).await.unwrap();
    let received = started.elapsed();
    let started = Instant::now();
    let admitted = artifacts.admit(&tenant, &digest, LIMITS).await.unwrap();
    let compiled = started.elapsed();
    let mut prove = Vec::new();
    let mut get = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        artifacts.admit(&tenant, &digest, LIMITS).await.unwrap();
        prove.push(started.elapsed());
        let started = Instant::now();
        // Dropped at once, so the next round finds nothing in memory.
        artifacts.get(sandbox, &tenant, &digest).await.unwrap();
        get.push(started.elapsed());
    }
    let spent = admitted.spent.unwrap_or_default();
    println!(
        "{}: {component_kib} KiB, artifact {} KiB; receive {received:.1?}; compile {compiled:.0?} ({} ms of CPU, {} MiB, \
         ready after {} ms, {} functions reused, {} compiled)",
        file.display(),
        admitted.artifact_bytes >> 10,
        spent.cpu_ms,
        spent.memory_kib >> 10,
        spent.ready_ms,
        spent.functions_reused,
        spent.functions_compiled,
    );
    let (prove_50, prove_99) = quantiles(prove);
    let (get_50, get_99) = quantiles(get);
    println!(
        "  prove p50 {prove_50:.1?}, p99 {prove_99:.1?}; get p50 {get_50:.1?}, p99 {get_99:.1?} (prove, map, link, drop)"
    );
}

fn quantiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}
