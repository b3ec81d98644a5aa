//! A change that is saved is heard by the next call; the call in progress goes on as it began, and the neighbours as they are.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use hookswitch::build;
use hookswitch::carrier::twilio::signature::AuthToken;
use hookswitch::dev::board::{Board, HandlerView};
use hookswitch::dev::{Workbench, Workshop, keep_up};
use http::StatusCode;
use tokio::sync::watch;

use crate::support::{TOKEN, TestHost, example, on_host_runtime};

const OPEN: &str = "open = 0\nclose = 24\nweekends = true\nsales = \"+12025550123\"";

fn write_settings(folder: &Path, lines: &str) {
    let name = folder.file_name().unwrap().to_str().unwrap();
    let toml = format!("name = \"{name}\"\ncomponent = \"front-desk.wasm\"\n{lines}");
    std::fs::write(folder.join("handler.toml"), toml).unwrap();
}

fn greet(folder: &Path, words: &str) {
    write_settings(folder, &format!("[config]\ngreeting = \"{words}\"\n{OPEN}"));
}

/// A handler with the front desk's component and settings of its own.
fn handler(folder: &Path, name: &str, words: &str) {
    static COMPONENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let built = build::build(&example("front-desk"), &mut |_| {}).expect("it builds");
        std::fs::read(built.component).expect("it was built")
    });
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("front-desk.wasm"), &*COMPONENT).unwrap();
    greet(&folder, words);
}

/// Waits until the board says so of the handler.
pub async fn wait_for(
    board: &mut watch::Receiver<Arc<[HandlerView]>>,
    what: &str,
    is_so: impl Fn(&[HandlerView]) -> bool,
) -> Arc<[HandlerView]> {
    let now = board.clone();
    let waited = tokio::time::timeout(Duration::from_secs(120), board.wait_for(|board| is_so(board))).await;
    if let Ok(board) = waited {
        return Arc::clone(&board.expect("the board is there"));
    }
    panic!("waited for {what}; the board says {:?}", now.borrow());
}

fn of<'a>(board: &'a [HandlerView], name: &str) -> Option<&'a HandlerView> {
    board.iter().find(|handler| handler.name == name)
}

fn answers(name: &'static str, revision: u32) -> impl Fn(&[HandlerView]) -> bool {
    move |board| {
        of(board, name).is_some_and(|handler| {
            handler.revision == Some(revision) && !handler.building && handler.problem.is_none()
        })
    }
}

#[test]
fn a_secret_without_a_value_is_named_and_one_that_is_saved_is_taken_in() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        handler(folder.path(), "desk", "One.");
        let folder = folder.path().join("desk");
        write_settings(&folder, &format!("secrets = [\"crm-key\"]\n[config]\n{OPEN}"));
        let host = TestHost::start().await;
        let token = AuthToken::new(TOKEN).unwrap();
        let mut bench =
            Workbench::open(Arc::clone(&host.host), folder.clone(), token, &mut |_| {}).expect("it loads");
        let missing = |bench: &Workbench| {
            let secrets = &bench.current().expect("it was built").grants.secrets;
            secrets.without_value().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(missing(&bench), ["crm-key"]);
        let watch = bench.watch().expect("files can be watched");
        std::fs::write(folder.join(".secrets.toml"), "crm-key = \"made up\"").unwrap();
        assert!(watch.wait(&AtomicBool::new(false)));
        assert!(bench.rebuild(&mut |_| {}).expect("it loads").is_some(), "it has another value now");
        assert_eq!(missing(&bench), [""; 0]);
    });
}

#[test]
fn a_saved_change_is_heard_by_the_next_call_and_a_broken_one_by_none() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        handler(folder.path(), "desk", "One.");
        let folder = folder.path().join("desk");
        let host = TestHost::start().await;
        let token = AuthToken::new(TOKEN).unwrap();
        let mut bench =
            Workbench::open(Arc::clone(&host.host), folder.clone(), token, &mut |_| {}).expect("it loads");
        let watch = bench.watch().expect("files can be watched");
        let mut call = host.call("dev/desk");
        assert!(call.start().await.body.contains("One."));

        greet(&folder, "Two.");
        assert!(watch.wait(&AtomicBool::new(false)));
        let revision = bench.rebuild(&mut |_| {}).expect("it loads").expect("it changed");
        assert_eq!(revision.id.0, 2);
        let mut next = host.call("dev/desk");
        assert!(next.start().await.body.contains("Two."));
        assert_eq!(call.press("1").await.revision(), "1", "the call in progress goes on as it began");

        assert!(bench.rebuild(&mut |_| {}).expect("it loads").is_none(), "nothing changed");

        write_settings(&folder, "greting = 1");
        assert!(watch.wait(&AtomicBool::new(false)));
        let error = bench.rebuild(&mut |_| {}).expect_err("an unknown key").to_string();
        assert!(error.contains("greting"), "{error}");
        assert_eq!(host.call("dev/desk").start().await.revision(), "2", "the revision in force goes on");
    });
}

#[test]
fn handlers_in_one_folder_are_built_changed_made_and_removed_each_for_itself() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        handler(folder.path(), "one", "First.");
        handler(folder.path(), "two", "Second.");
        handler(folder.path(), "broken", "");
        write_settings(&path("broken"), "greting = 1");
        let host = TestHost::start().await;
        let board = Board::default();
        let mut seen = board.watch();
        let shop = Workshop::new(Arc::clone(&host.host), AuthToken::new(TOKEN).unwrap(), board).unwrap();
        keep_up(shop, folder.path().to_owned(), Arc::new(|_, _| {})).unwrap();

        wait_for(&mut seen, "two that answer", |board| answers("one", 1)(board) && answers("two", 1)(board))
            .await;
        let now = wait_for(&mut seen, "what is wrong with the third", |board| {
            of(board, "broken").is_some_and(|handler| handler.problem.is_some())
        })
        .await;
        let place = &of(&now, "broken").unwrap().problem.as_ref().unwrap().places[0];
        assert_eq!((place.file.as_str(), place.line), ("handler.toml", 3), "{place:?}");
        assert!(place.message.contains("greting"), "{place:?}");
        assert!(host.call("dev/two").start().await.body.contains("Second."));

        greet(&path("one"), "Changed.");
        let now = wait_for(&mut seen, "the change", answers("one", 2)).await;
        assert_eq!(of(&now, "two").unwrap().revision, Some(1), "its neighbour is as it was");
        assert!(host.call("dev/one").start().await.body.contains("Changed."));
        assert_eq!(host.call("dev/two").start().await.revision(), "1");

        greet(&path("broken"), "Mended.");
        wait_for(&mut seen, "what was mended", answers("broken", 1)).await;

        handler(folder.path(), "three", "Third.");
        wait_for(&mut seen, "a handler made meanwhile", answers("three", 1)).await;
        assert!(host.call("dev/three").start().await.body.contains("Third."));

        std::fs::remove_dir_all(path("two")).unwrap();
        wait_for(&mut seen, "one that was removed", |board| of(board, "two").is_none()).await;
        assert_eq!(host.call("dev/two").start().await.status, StatusCode::NOT_FOUND);
        assert_eq!(host.call("dev/one").start().await.revision(), "2");

        // The name of one that is there already.
        handler(folder.path(), "four", "Fourth.");
        std::fs::write(path("four/handler.toml"), "name = \"one\"\ncomponent = \"front-desk.wasm\"\n")
            .unwrap();
        let now = wait_for(&mut seen, "why it can't be served", |board| {
            board.iter().any(|handler| {
                handler.problem.as_ref().is_some_and(|problem| problem.text.contains("the name one is taken"))
            })
        })
        .await;
        assert_eq!(of(&now, "one").unwrap().revision, Some(2));
    });
}
