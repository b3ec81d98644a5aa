//! Thousands of handlers, of which a part is called: start, memory, and the first answer of each.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Instant;

use hookswitch::call::{HandlerName, TenantId};
use hookswitch::config::Secret;
use hookswitch::digest::Digest;
use hookswitch::handler_toml::RevisionSettings;
use hookswitch::registry::model::{Decision, NewRevision, Quota, TenantRecord};
use hookswitch::registry::{MasterKey, Registry, RegistryError};
use hookswitch::release::risk::Assessment;
use hookswitch::release::{Release, ReleaseRisk};

use super::{front_desk, variation};
use crate::support::{Client, Served, TOKEN, alone_on_host_runtime, percentile, scale, wait_for};

/// Handlers of each tenant.
const EACH: usize = 100;

/// A registry with `handlers` handlers, of which the first `live` have a component of their own.
fn fill(data: &Path, handlers: usize, live: usize) {
    let components = data.join("components");
    std::fs::create_dir_all(&components).unwrap();
    for folder in [data, &components] {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    let registry = Registry::open(data, &MasterKey::open(data).unwrap()).unwrap();
    for number in 0..handlers {
        let tenant = TenantId::new(&format!("t{}", number / EACH)).unwrap();
        if number % EACH == 0 {
            registry
                .create_tenant(&TenantRecord {
                    id: tenant.clone(),
                    public_url: None,
                    auth_tokens: vec![Secret::new(TOKEN.to_owned())],
                    shared_keys: Vec::new(),
                    account: None,
                    quota: Quota::default(),
                    created_at: 1,
                })
                .unwrap();
        }
        let component = variation(front_desk(), &format!("handler {}", number.min(live)));
        let digest = Digest::of(&component);
        let path = components.join(format!("{digest}.wasm"));
        if !path.exists() {
            std::fs::write(path, &component).unwrap();
        }
        let config = [("greeting", "Welcome."), ("open", "0"), ("close", "24"), ("weekends", "true")];
        let config = config.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect();
        let new = NewRevision {
            tenant,
            handler: HandlerName::new(&format!("h{number}")).unwrap(),
            digest,
            component_bytes: component.len() as u64,
            artifact_bytes: 0,
            settings: RevisionSettings { config, ..RevisionSettings::default() },
            imports: Vec::new(),
            exports: vec!["hookswitch:handler/voice@0.1.0".to_owned()],
            by: "test".to_owned(),
            at: 1,
        };
        let assessment = Assessment { risk: ReleaseRisk::Code, reason: "first".into(), changes: Vec::new() };
        let deployed = registry.deploy(&new, |context| {
            let release = Release::deploy(None, context.revision, &assessment, Vec::new(), "test", 1);
            Ok::<_, RegistryError>(Decision { risk: ReleaseRisk::Code, reason: "first".into(), release })
        });
        deployed.unwrap();
    }
}

fn resident_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
}

#[test]
fn ten_thousand_handlers_start_soon_and_a_cold_one_answers_at_once() {
    alone_on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let (handlers, live) = (scale(300, 10_000), scale(20, 1_000));
        fill(&data, handlers, live);
        // Whatever is in force is compiled in the background; a start of its own, so that the next one is an ordinary one.
        let host = Served::start(&data);
        wait_for("all to be compiled", 600, || {
            let compiled = std::fs::read_dir(data.join("artifacts")).unwrap().count();
            (compiled > live).then_some(())
        });
        host.kill();

        let began = Instant::now();
        let host = Served::start(&data);
        let (start_ms, resident_at_start) = (began.elapsed().as_millis(), resident_mib(host.pid()));
        let client = Client::new(host.webhooks);
        let mut times = [Vec::new(), Vec::new()];
        for round in &mut times {
            for number in 0..live {
                let mut call = client.call(&format!("t{}/h{number}", number / EACH));
                let began = Instant::now();
                let heard = call.start().await;
                round.push(u32::try_from(began.elapsed().as_micros()).unwrap());
                assert_eq!((heard.code(), heard.revision()), ("", "1"), "handler {number}: {}", heard.body);
            }
        }
        let [cold, warm] = times;
        println!(
            "{handlers} handlers: start {start_ms} ms, {resident_at_start} MiB, {} MiB with {live} live; first answer p50 {} us, \
             p99 {} us; then p50 {} us, p99 {} us (a connection each)",
            resident_mib(host.pid()),
            percentile(&cold, 50.0),
            percentile(&cold, 99.0),
            percentile(&warm, 50.0),
            percentile(&warm, 99.0),
        );
        assert!(percentile(&cold, 50.0) < 50_000, "a cold handler is mapped, not compiled");
    });
}
