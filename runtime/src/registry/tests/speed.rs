//! Bounds far above what is usual, so that only a query without its index breaks them. Run with `--nocapture` for the numbers.

use std::time::Instant;

use super::super::{read_last_known, write_last_known};
use super::*;

const TENANTS: usize = 10_000;

#[test]
fn ten_thousand_tenants_load_in_a_moment_and_a_write_stays_short() {
    let folder = Folder::new();
    let registry = folder.open().unwrap();
    fill(&registry);
    let timed = |what: &str, most_ms: u128, work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        println!("{what}: {:.2} ms", begun.elapsed().as_secs_f64() * 1e3);
        assert!(begun.elapsed().as_millis() < most_ms, "{what} took {:?}", begun.elapsed());
    };
    let mut everything = Everything::default();
    timed("everything", 3_000, &mut || everything = registry.everything(NOW).unwrap());
    assert_eq!((everything.tenants.len(), everything.revisions.len()), (TENANTS, 2 * TENANTS));
    timed("100 deploys", 5_000, &mut || {
        for n in 0..100 {
            registry.deploy(&revision("t77", "ivr", &format!("more {n}")), at_once).unwrap();
        }
    });
    let (_, token) = registry.create_token(Scope::Operator, "", NOW).unwrap();
    timed("1 000 looks for a token", 2_000, &mut || {
        for _ in 0..1_000 {
            assert!(registry.find_token(token.expose()).unwrap().is_some());
        }
    });
    timed("prune", 3_000, &mut || drop(registry.prune(NOW, 20).unwrap()));
    timed("write the last known copy", 5_000, &mut || {
        write_last_known(folder.path(), &folder.key, &everything).unwrap();
    });
    timed("read it", 5_000, &mut || drop(read_last_known(folder.path(), &folder.key).unwrap()));
    timed("open", 5_000, &mut || drop(folder.open().unwrap()));
    println!("registry.db: {} bytes", std::fs::metadata(folder.database()).unwrap().len());
}

/// Two revisions for each tenant, in one transaction: ten thousand syncs would be the disk's measure.
fn fill(registry: &Registry) {
    registry.create_tenant(&tenant("t0")).unwrap();
    registry.deploy(&revision("t0", "ivr", "a"), at_once).unwrap();
    registry.deploy(&revision("t0", "ivr", "b"), at_once).unwrap();
    let filled: Result<(), RegistryError> = registry.writer.write(|transaction| {
        for n in 1..TENANTS {
            let to = format!("t{n}");
            for statement in [
                "INSERT INTO tenant SELECT ?1, public_url, quota, created_at FROM tenant WHERE id = 't0'",
                "INSERT INTO handler SELECT ?1, name, generation, previous, release, created_at FROM handler WHERE tenant = 't0'",
                "INSERT INTO numbering SELECT ?1, handler, last, deleted_at FROM numbering WHERE tenant = 't0'",
                "INSERT INTO history SELECT ?1, handler, generation, at, change, revision, by, reason FROM history WHERE tenant = 't0'",
                "INSERT INTO revision SELECT ?1, handler, id, digest, component_bytes, artifact_bytes, settings, settings_hash,
                   imports, exports, created_at, created_by, risk, risk_reason, taking, retired_at
                 FROM revision WHERE tenant = 't0'",
            ] {
                transaction.prepare_cached(statement)?.execute([&to])?;
            }
            registry.put_auth_tokens(transaction, &id(&to), &[Secret::new(AUTH_TOKEN.into())])?;
        }
        Ok(Ok(()))
    });
    filled.unwrap();
}
