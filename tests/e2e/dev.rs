//! A change that is saved is heard by the next call; the call in progress goes on as it began.

use std::path::Path;
use std::sync::Arc;

use hookswitch::build;
use hookswitch::carrier::twilio::signature::AuthToken;
use hookswitch::dev::Workbench;

use crate::support::{TOKEN, TestHost, example, on_host_runtime};

fn write_settings(folder: &Path, lines: &str) {
    let toml = format!("name = \"front-desk\"\ncomponent = \"front-desk.wasm\"\n{lines}");
    std::fs::write(folder.join("handler.toml"), toml).unwrap();
}

#[test]
fn a_saved_change_is_heard_by_the_next_call_and_a_broken_one_by_none() {
    on_host_runtime(async {
        let built = build::build(&example("front-desk"), &mut |_| {}).expect("it builds");
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(built.component, folder.path().join("front-desk.wasm")).unwrap();
        let open = "open = 0\nclose = 24\nweekends = true\nsales = \"+12025550123\"";
        write_settings(folder.path(), &format!("[config]\ngreeting = \"One.\"\n{open}"));

        let host = TestHost::start().await;
        let token = AuthToken::new(TOKEN).unwrap();
        let mut bench = Workbench::open(Arc::clone(&host.host), folder.path().to_owned(), token, &mut |_| {})
            .expect("it loads");
        let watch = bench.watch().expect("files can be watched");
        let mut call = host.call("dev/front-desk");
        assert!(call.start().await.body.contains("One."));

        write_settings(folder.path(), &format!("[config]\ngreeting = \"Two.\"\n{open}"));
        assert!(watch.wait());
        let revision = bench.rebuild(&mut |_| {}).expect("it loads").expect("it changed");
        assert_eq!(revision.id.0, 2);
        let mut next = host.call("dev/front-desk");
        assert!(next.start().await.body.contains("Two."));
        assert_eq!(call.press("1").await.revision(), "1", "the call in progress goes on as it began");

        assert!(bench.rebuild(&mut |_| {}).expect("it loads").is_none(), "nothing changed");

        write_settings(folder.path(), "greting = 1");
        assert!(watch.wait());
        let error = bench.rebuild(&mut |_| {}).expect_err("an unknown key").to_string();
        assert!(error.contains("greting"), "{error}");
        assert_eq!(
            host.call("dev/front-desk").start().await.revision(),
            "2",
            "the revision in force goes on"
        );
    });
}
