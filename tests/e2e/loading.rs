//! What can be found wrong in a component is found when it is loaded, with its name and what to do.

use std::time::Instant;

use hookswitch_tests::attack;

use crate::support::{TestHost, misbehave, on_host_runtime};

#[test]
fn a_component_that_can_not_be_a_handler_is_refused_by_name() {
    on_host_runtime(async {
        let host = TestHost::start().await;
        host.deploy("other", "guest", misbehave(), "").expect("it loads");
        let truncated = &misbehave()[..misbehave().len() / 2];
        let cases: &[(&str, Vec<u8>, &str)] = &[
            ("empty file", Vec::new(), "empty"),
            ("core module", wat::parse_str("(module)").unwrap(), "hookswitch build"),
            ("truncated", truncated.to_vec(), ""),
            ("nothing exported", wat::parse_str("(component)").unwrap(), "hookswitch:handler/voice@0.1.0"),
            ("key values", attack::imports::key_values(), "wasi:keyvalue"),
            ("100 000 functions", attack::compile::functions(100_000), "functions"),
        ];
        for (name, component, expected) in cases {
            let started = Instant::now();
            let error = host.deploy("acme", "guest", component, "").expect_err(name).to_string();
            assert!(error.contains(expected), "{name}: {error}");
            assert!(started.elapsed().as_secs() < 5, "{name} took {:?}", started.elapsed());
            let neighbour = host.call("other/guest").start().await.clone();
            assert_eq!(neighbour.code(), "", "the neighbour of {name}: {}", neighbour.body);
        }
    });
}

#[test]
fn a_fallback_document_that_the_carrier_would_refuse_is_refused() {
    on_host_runtime(async {
        let host = TestHost::start().await;
        for (name, text, expected) in [
            ("not XML", "sorry", "fallback.xml"),
            ("unknown verb", "<Response><Speak>sorry</Speak></Response>", "Speak"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("fallback.xml"), text).unwrap();
            std::fs::write(folder.path().join("guest.wasm"), misbehave()).unwrap();
            let toml = "component = \"guest.wasm\"\nfallback = \"fallback.xml\"";
            std::fs::write(folder.path().join("handler.toml"), format!("name = \"guest\"\n{toml}")).unwrap();
            let error = host.deploy_folder("acme", folder.path()).expect_err(name).to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
    });
}
