use std::sync::atomic::{AtomicBool, Ordering};

use super::super::{BackupError, backup};
use super::*;

fn component(folder: &Folder, content: &str) -> PathBuf {
    let path = folder.path().join("components").join(format!("{}.wasm", Digest::of(content.as_bytes())));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_backup_made_while_writing_restores_one_moment() {
    let (folder, registry) = Folder::with_tenant();
    let (_, token) = registry.create_token(Scope::Operator, "mine", NOW).unwrap();
    std::fs::write(folder.path().join("pin-key"), [9; 32]).unwrap();
    registry.ensure_operator_token(&folder.path().join("operator-token"), NOW).unwrap();
    let out = folder.path().join("all.tar");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 1.. {
                component(&folder, &n.to_string());
                registry.deploy(&revision("acme", "ivr", &n.to_string()), at_once).unwrap();
                if stop.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        for round in 0..5 {
            while registry.history(&id("acme"), &name("ivr"), 1).unwrap().is_empty() {
                std::thread::yield_now();
            }
            let report = backup(folder.path(), &out).unwrap();
            assert!(report.missing.is_empty() && report.damaged.is_empty(), "{report:?}");
            assert_eq!(report.bytes, std::fs::metadata(&out).unwrap().len());
            let restored = tempfile::tempdir().unwrap();
            tar::Archive::new(std::fs::File::open(&out).unwrap()).unpack(restored.path()).unwrap();
            let key = MasterKey::open(restored.path()).unwrap();
            let copy = Registry::open(restored.path(), &key).unwrap();
            let everything = copy.everything(NOW).unwrap();
            let newest = everything.handlers[0].release.stable.0;
            assert_eq!(everything.handlers[0].release.generation, u64::from(newest), "round {round}");
            assert_eq!((everything.revisions.len(), report.components), (newest as usize, newest as usize));
            assert_eq!(everything.tenants[0].auth_tokens[0].expose(), AUTH_TOKEN);
            assert!(copy.find_token(token.expose()).unwrap().is_some());
            assert_eq!(std::fs::read(restored.path().join("pin-key")).unwrap(), [9; 32]);
            assert!(restored.path().join("operator-token").exists());
            for revision in &everything.revisions {
                let path = restored.path().join("components").join(format!("{}.wasm", revision.digest));
                assert_eq!(Digest::of(&std::fs::read(path).unwrap()), revision.digest);
            }
            // What is restored goes on as if nothing had been.
            assert_eq!(
                copy.deploy(&revision("acme", "ivr", "new"), at_once).unwrap().revision.id.0,
                newest + 1
            );
        }
        stop.store(true, Ordering::Relaxed);
    });
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&out).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    assert!(contents(folder.path()).iter().all(|(name, _)| !name.contains("partial")));
}

#[test]
fn a_backup_says_which_components_it_could_not_take() {
    let (folder, registry) = Folder::with_tenant();
    for content in ["good", "missing", "damaged"] {
        registry.deploy(&revision("acme", "ivr", content), at_once).unwrap();
    }
    component(&folder, "good");
    std::fs::write(component(&folder, "damaged"), "other").unwrap();
    let out = tempfile::tempdir().unwrap();
    let report = backup(folder.path(), &out.path().join("all.tar")).unwrap();
    assert_eq!(report.missing, [Digest::of(b"missing")]);
    assert_eq!((report.components, report.damaged), (2, vec![Digest::of(b"damaged")]));
}

#[test]
fn a_failed_backup_leaves_the_last_one() {
    let (folder, registry) = Folder::with_tenant();
    drop(registry);
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("all.tar");
    std::fs::write(&file, "the last one").unwrap();
    let wrong = tempfile::tempdir().unwrap();
    let error = backup(wrong.path(), &file).unwrap_err();
    assert!(error.to_string().contains("say with --data which folder"), "{error}");
    for garbage in ["", "x", &"garbage ".repeat(999)] {
        std::fs::write(folder.database(), garbage).unwrap();
        let error = backup(folder.path(), &file).unwrap_err();
        assert!(matches!(error, BackupError::Registry(RegistryError::Damaged { .. })), "{error}");
    }
    assert_eq!(contents(out.path()), [("all.tar".to_owned(), b"the last one".to_vec())]);
}
