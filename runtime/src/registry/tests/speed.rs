//! What is asked of a registry for one tenant costs the same beside ten thousand others: only a query without its index does not.

use std::time::{Duration, Instant};

use super::*;

const TENANTS: usize = 10_000;

/// How much dearer what goes through an index may be in the large registry. Going through all of it costs thousands of times
/// as much.
const DEARER_MAX: u32 = 30;

#[test]
fn what_concerns_one_tenant_costs_the_same_beside_ten_thousand() {
    let [small, large] = [2, TENANTS].map(|tenants| {
        let folder = Folder::new();
        let registry = folder.open().unwrap();
        fill(&registry, tenants);
        (folder, registry)
    });
    let everything = large.1.everything(NOW).unwrap();
    assert_eq!((everything.tenants.len(), everything.revisions.len()), (TENANTS, 2 * TENANTS));
    let (_, token) = small.1.create_token(Scope::Operator, "", NOW).unwrap();
    let (_, other) = large.1.create_token(Scope::Operator, "", NOW).unwrap();
    let looks: [&dyn Fn(&Registry); 3] = [
        &|registry| {
            let found = [&token, &other].map(|token| registry.find_token(token.expose()).unwrap().is_some());
            assert!(found[0] || found[1]);
        },
        &|registry| assert_eq!(registry.revisions(&id("t1"), &name("ivr")).unwrap().len(), 2),
        &|registry| assert!(registry.tenant(&id("t1")).unwrap().is_some()),
    ];
    for (place, look) in looks.iter().enumerate() {
        let [few, many] = [&small.1, &large.1].map(|registry| least(registry, look));
        let most = few * DEARER_MAX;
        assert!(many <= most, "look {place}: {many:?} beside {TENANTS} tenants, {few:?} beside one");
    }
}

/// The shortest of many times: what else the machine does only makes one longer.
fn least(registry: &Registry, look: &dyn Fn(&Registry)) -> Duration {
    let timed = |_| {
        let begun = Instant::now();
        look(registry);
        begun.elapsed()
    };
    (0..200).map(timed).min().unwrap()
}

/// Two revisions for each tenant, in one transaction: ten thousand syncs would be the disk's measure.
fn fill(registry: &Registry, tenants: usize) {
    registry.create_tenant(&tenant("t0")).unwrap();
    registry.deploy(&revision("t0", "ivr", "a"), at_once).unwrap();
    registry.deploy(&revision("t0", "ivr", "b"), at_once).unwrap();
    let filled: Result<(), RegistryError> = registry.writer.write(|transaction| {
        for n in 1..tenants {
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
