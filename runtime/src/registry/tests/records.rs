use super::*;

#[test]
fn a_tenant_is_made_once_changed_in_parts_and_deleted_with_all_it_has() {
    let (_folder, registry) = Folder::with_tenant();
    let acme = id("acme");
    let error = registry.create_tenant(&tenant("acme")).unwrap_err();
    assert!(matches!(error, RegistryError::Conflict(_)), "{error}");

    let change = TenantChange {
        auth_tokens: Some(vec![Secret::new("new".into())]),
        public_url: Some(None),
        ..Default::default()
    };
    let changed = registry.change_tenant(&acme, &change).unwrap();
    let tokens: Vec<_> = changed.auth_tokens.iter().map(Secret::expose).collect();
    assert_eq!((tokens.as_slice(), &changed.public_url), (&["new"][..], &None));
    assert_eq!(changed.shared_keys[0].1.expose(), SHARED_SECRET);
    assert_eq!(changed.quota, Quota::default());

    registry.deploy(&revision("acme", "ivr", "a"), at_once).unwrap();
    let number = NumberRecord { number: "+12025550123".into(), tenant: acme.clone(), handler: name("ivr") };
    registry.put_number(&number).unwrap();
    let (_, token) = registry.create_token(Scope::Deploy(acme.clone()), "ci", NOW).unwrap();
    registry.record_compile(&acme, 5, NOW).unwrap();
    let error = registry.delete_tenant(&acme, NOW).unwrap_err();
    assert!(matches!(error, RegistryError::Conflict(_)), "{error}");
    assert!(error.to_string().contains("tenant acme still has 1 handlers"), "{error}");
    assert!(registry.number("+12025550123").unwrap().is_some());
    registry.delete_number(&acme, "+12025550123").unwrap();
    registry.delete_handler(&acme, &name("ivr"), NOW).unwrap();
    registry.delete_tenant(&acme, NOW).unwrap();
    assert!(registry.tenant(&acme).unwrap().is_none());
    assert!(registry.number("+12025550123").unwrap().is_none());
    assert!(registry.find_token(token.expose()).unwrap().is_none());
    assert!(registry.digests_in_use().unwrap().is_empty());
    for missing in [
        registry.delete_tenant(&acme, NOW),
        registry.change_tenant(&acme, &change).map(drop),
        registry.usage(&acme, NOW).map(drop),
        registry.record_compile(&acme, 5, NOW),
        registry.create_token(Scope::Read(acme.clone()), "", NOW).map(drop),
        registry.put_number(&number),
        registry.deploy(&revision("acme", "ivr", "a"), at_once).map(drop),
    ] {
        assert!(matches!(missing, Err(RegistryError::NotFound(_))), "{missing:?}");
    }
}

#[test]
fn credentials_come_back_in_their_order_and_only_to_their_tenant() {
    let (_folder, registry) = Folder::with_tenant();
    for other in ["aaa", "zzz"] {
        registry
            .create_tenant(&TenantRecord { auth_tokens: vec![], shared_keys: vec![], ..tenant(other) })
            .unwrap();
    }
    registry.create_tenant(&tenant("mmm")).unwrap();
    let found: Vec<_> = registry
        .tenants()
        .unwrap()
        .iter()
        .map(|t| (t.id.to_string(), t.auth_tokens.len(), t.shared_keys.len()))
        .collect();
    assert_eq!(
        found,
        [("aaa".into(), 0, 0), ("acme".into(), 2, 1), ("mmm".into(), 2, 1), ("zzz".into(), 0, 0)]
    );
    assert_eq!(registry.tenant(&id("acme")).unwrap().unwrap().auth_tokens[0].expose(), AUTH_TOKEN);
    assert!(!format!("{:?}", registry.tenants()).contains(AUTH_TOKEN));
}

#[test]
fn no_secret_stands_in_any_file_in_clear() {
    let (folder, registry) = Folder::with_tenant();
    let (_, token) = registry.create_token(Scope::Operator, "mine", NOW).unwrap();
    registry.put_secret(&id("acme"), "crm-key", &Secret::new("sk_live_0815".into()), "ci", NOW).unwrap();
    let mut granted = revision("acme", "ivr", "a");
    granted.settings.secrets.insert("crm-key".into(), SecretGrant::default());
    registry.grant_secrets(&id("acme"), &mut granted.settings).unwrap();
    registry.deploy(&granted, at_once).unwrap();
    super::super::write_last_known(folder.path(), &folder.key, &registry.everything(NOW).unwrap()).unwrap();
    drop(registry);
    let secrets = ["sk_live_0815", AUTH_TOKEN, SHARED_SECRET, token.expose(), &token.expose()[4..]];
    for (file, bytes) in contents(folder.path()) {
        for secret in secrets {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} in {file}");
        }
        // The search finds what is there.
        if file == FILE_NAME {
            assert!(bytes.windows(5).any(|part| part == b"key-1"));
        }
    }
}

#[test]
fn a_credential_moved_to_another_tenant_does_not_open() {
    let (folder, registry) = Folder::with_tenant();
    registry.create_tenant(&tenant("evil")).unwrap();
    let shell = rusqlite::Connection::open(folder.database()).unwrap();
    shell
        .execute(
            "UPDATE credential SET sealed = (SELECT sealed FROM credential WHERE tenant = 'acme' AND kind = 'auth_token' AND position = 0)
             WHERE tenant = 'evil' AND kind = 'auth_token' AND position = 0",
            [],
        )
        .unwrap();
    let error = registry.tenant(&id("evil")).unwrap_err();
    assert!(error.to_string().contains("auth_token 0 of tenant evil is not what was written"), "{error}");
    assert!(registry.tenants().is_err());
    let everything = registry.everything(NOW).unwrap();
    let there: Vec<_> = everything.tenants.iter().map(|tenant| tenant.id.as_str()).collect();
    assert_eq!(there, ["acme"]);
    let evil = Unreadable { tenant: "evil".into(), handler: None, revision: None };
    assert_eq!(everything.unreadable, [evil]);
}

#[test]
fn a_token_is_found_by_its_text_until_it_is_revoked() {
    let (_folder, registry) = Folder::with_tenant();
    let scopes = [Scope::Operator, Scope::Deploy(id("acme")), Scope::Read(id("acme"))];
    let made: Vec<_> =
        scopes.iter().map(|scope| registry.create_token(scope.clone(), "l", NOW).unwrap()).collect();
    for ((token, text), scope) in made.iter().zip(&scopes) {
        let found = registry.find_token(text.expose()).unwrap().unwrap();
        assert_eq!((&found, &found.scope), (token, scope));
        assert!(text.expose().starts_with("hsw_") && text.expose().len() == 47);
    }
    for wrong in
        ["", "hsw_", &made[0].1.expose()[..46], &format!("{} ", made[0].1.expose()), &"x".repeat(9_999)]
    {
        assert!(registry.find_token(wrong).unwrap().is_none(), "{wrong}");
    }
    assert_eq!(registry.tokens(None).unwrap().len(), 3);
    assert_eq!(registry.tokens(Some(&id("acme"))).unwrap().len(), 2);
    registry.revoke_token(&made[0].0.id).unwrap();
    assert!(registry.find_token(made[0].1.expose()).unwrap().is_none());
    assert!(matches!(registry.revoke_token(&made[0].0.id), Err(RegistryError::NotFound(_))));
}

#[test]
fn the_operators_token_file_always_holds_a_valid_token() {
    use super::super::OperatorToken::{Made, Present};
    let (folder, registry) = Folder::with_tenant();
    let path = folder.path().join("operator-token");
    let token = || registry.find_token(std::fs::read_to_string(&path).unwrap().trim()).unwrap();
    assert_eq!(registry.ensure_operator_token(&path, NOW).unwrap(), Made);
    let first = token().unwrap();
    assert_eq!(first.scope, Scope::Operator);
    assert_eq!(first.label, "the operator's token");
    let (_, old) = registry.create_token(Scope::Operator, "file operator-token", NOW).unwrap();
    let old = registry.find_token(old.expose()).unwrap().unwrap();
    assert_eq!(old.label, first.label, "as earlier versions called it");
    assert_eq!(registry.ensure_operator_token(&path, NOW).unwrap(), Present);
    assert_eq!(token().unwrap(), first);

    std::fs::remove_file(&path).unwrap();
    assert_eq!(registry.ensure_operator_token(&path, NOW).unwrap(), Made);
    let second = token().unwrap();
    assert_ne!(second.id, first.id);
    registry.revoke_token(&second.id).unwrap();
    assert_eq!(registry.ensure_operator_token(&path, NOW).unwrap(), Made);
    assert!(token().is_some());
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_number_has_one_owner() {
    let (_folder, registry) = Folder::with_tenant();
    registry.create_tenant(&tenant("other")).unwrap();
    for (tenant, handler) in [("acme", "ivr"), ("acme", "sales"), ("other", "ivr")] {
        registry.deploy(&revision(tenant, handler, "a"), at_once).unwrap();
    }
    let put = |number: &str, tenant: &str, handler: &str| {
        let record = NumberRecord { number: number.into(), tenant: id(tenant), handler: name(handler) };
        registry.put_number(&record)
    };
    put("+12025550123", "acme", "ivr").unwrap();
    put("+12025550123", "acme", "sales").unwrap();
    put("12345", "acme", "ivr").unwrap();
    let error = put("+12025550123", "other", "ivr").unwrap_err();
    assert!(matches!(error, RegistryError::Conflict(_)) && !error.to_string().contains("acme"), "{error}");
    assert!(matches!(put("+12025550124", "acme", "nobody"), Err(RegistryError::NotFound(_))));
    for wrong in ["", "+", "12", "+1202555012x", "+1234567890123456", "sip:a@example.com"] {
        assert!(matches!(put(wrong, "acme", "ivr"), Err(RegistryError::Invalid(_))), "{wrong}");
    }
    assert_eq!(registry.number("+12025550123").unwrap().unwrap().handler, name("sales"));
    assert_eq!(registry.numbers(&id("acme")).unwrap().len(), 2);
    assert!(registry.numbers(&id("other")).unwrap().is_empty());

    let error = registry.delete_handler(&id("acme"), &name("sales"), NOW).unwrap_err();
    assert!(error.to_string().starts_with("+12025550123 leads to handler sales"), "{error}");
    assert!(matches!(registry.delete_number(&id("other"), "+12025550123"), Err(RegistryError::NotFound(_))));
    registry.delete_number(&id("acme"), "+12025550123").unwrap();
    registry.delete_handler(&id("acme"), &name("sales"), NOW).unwrap();
}

#[test]
fn usage_counts_each_component_once_all_settings_and_compiles_for_an_hour() {
    let (_folder, registry) = Folder::with_tenant();
    let acme = id("acme");
    registry.deploy(&revision("acme", "ivr", "a"), at_once).unwrap();
    registry.deploy(&revision("acme", "sms", "a"), at_once).unwrap();
    registry.deploy(&revision("acme", "sms", "b"), at_once).unwrap();
    registry.record_compile(&acme, 700, NOW).unwrap();
    registry.record_compile(&acme, 70, NOW + 1).unwrap();
    let settings = |new: &NewRevision| 4 * serde_json::to_string(&new.settings).unwrap().len() as u64;
    let each = settings(&revision("acme", "ivr", "a"));
    let bytes = 8_000 + 3 * each;
    let expected = Usage { handlers: 2, revisions: 3, bytes, compile_ms_last_hour: 770 };
    assert_eq!(registry.usage(&acme, NOW + 2).unwrap(), expected);
    assert_eq!(registry.usage(&acme, NOW + 3_600_000).unwrap().compile_ms_last_hour, 70);
    let seen = registry.deploy(&revision("acme", "ivr", "c"), |context| {
        assert_eq!((context.usage, context.adds_bytes), (expected, 4_000 + each));
        assert_eq!(context.stable.as_ref().unwrap().digest, Digest::of(b"a"));
        at_once(context)
    });
    seen.unwrap();

    // The same component with other settings costs what they are long, in bytes and not in letters.
    let mut long = revision("acme", "ivr", "c");
    long.settings.fallback = Some("é".repeat(60_000));
    assert!(settings(&long) > 4 * 120_000);
    let before = registry.usage(&acme, NOW).unwrap().bytes;
    let seen = registry.deploy(&long, |context| {
        assert_eq!(context.adds_bytes, settings(&long));
        at_once(context)
    });
    seen.unwrap();
    assert_eq!(registry.usage(&acme, NOW).unwrap().bytes, before + settings(&long));
}

#[test]
fn everything_holds_what_calls_may_need_and_nothing_else() {
    let (_folder, registry) = Folder::with_tenant();
    registry.create_tenant(&tenant("other")).unwrap();
    for content in ["1", "2", "3", "4"] {
        registry.deploy(&revision("acme", "ivr", content), at_once).unwrap();
    }
    registry.deploy(&revision("acme", "ivr", "5"), as_canary).unwrap();
    registry.deploy(&revision("other", "ivr", "6"), at_once).unwrap();
    let numbers = |everything: Everything| -> Vec<(String, u32)> {
        let mut found: Vec<_> = everything.revisions.iter().map(|r| (r.tenant.to_string(), r.id.0)).collect();
        found.sort();
        found
    };
    let of = |ids: &[u32]| ids.iter().map(|id| ("acme".to_owned(), *id)).collect::<Vec<_>>();
    let later = NOW + PINNED_MS;
    let other = || vec![("other".to_owned(), 1)];
    assert_eq!(numbers(registry.everything(later - 1).unwrap()), [of(&[1, 2, 3, 4, 5]), other()].concat());
    let all = registry.everything(later).unwrap();
    assert_eq!((all.tenants.len(), all.handlers.len()), (2, 2));
    assert_eq!(numbers(all), [of(&[3, 4, 5]), other()].concat());
}

#[test]
fn an_account_belongs_to_one_tenant_changes_in_parts_and_its_key_is_never_in_clear() {
    const SECRET: &str = "the-secret-of-the-api-key";
    let (folder, registry) = Folder::with_tenant();
    let (acme, other) = (id("acme"), id("other"));
    registry.create_tenant(&tenant("other")).unwrap();
    let account = |change: AccountChange| TenantChange { account: Some(change), ..Default::default() };
    let sid = |text: &str| AccountChange { sid: Some(text.into()), ..Default::default() };
    let refused = registry.change_tenant(&acme, &account(AccountChange::default())).unwrap_err();
    assert!(refused.to_string().contains("no account at its carrier yet"), "{refused}");
    let key = Some(("SK1".to_owned(), Secret::new(SECRET.into())));
    registry.change_tenant(&acme, &account(AccountChange { api_key: key, ..sid("AC1") })).unwrap();
    let taken = registry.change_tenant(&other, &account(sid("AC1"))).unwrap_err();
    assert!(matches!(&taken, RegistryError::Conflict(why) if why.contains("another tenant")), "{taken}");
    let calls = AccountChange { calls_per_minute: Some(5), ..Default::default() };
    let changed = registry.change_tenant(&acme, &account(calls)).unwrap().account.unwrap();
    assert_eq!((changed.sid.as_str(), changed.allowance.calls_per_minute), ("AC1", 5));
    assert_eq!(changed.api_key.unwrap().1.expose(), SECRET);

    let everything = registry.everything(NOW).unwrap();
    super::super::write_last_known(folder.path(), &folder.key, &everything).unwrap();
    let known = super::super::read_last_known(folder.path(), &folder.key).unwrap().unwrap();
    for found in [everything, known] {
        let found = found.tenants.iter().find(|tenant| tenant.id == acme).unwrap().account.clone().unwrap();
        assert_eq!(found.api_key.unwrap().1.expose(), SECRET);
    }
    for (file, bytes) in contents(folder.path()) {
        assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()), "in {file}");
    }
    let moved = registry.change_tenant(&acme, &account(sid("AC2"))).unwrap().account.unwrap();
    assert!(moved.api_key.is_none(), "the key of one account opens no other");
    registry.change_tenant(&other, &account(sid("AC1"))).unwrap();
    assert!(registry.change_tenant(&acme, &account(sid(""))).unwrap().account.is_none());
}

#[test]
fn a_secret_has_versions_and_opens_only_where_it_was_set() {
    let (_folder, registry) = Folder::with_tenant();
    registry.create_tenant(&tenant("evil")).unwrap();
    let (acme, evil) = (id("acme"), id("evil"));
    let set = |tenant: &TenantId, value: &str| {
        registry.put_secret(tenant, "crm-key", &Secret::new(value.into()), "ci", NOW).unwrap().version
    };
    assert_eq!((set(&acme, "one"), set(&acme, "two"), set(&acme, "two"), set(&evil, "x")), (1, 2, 2, 1));

    let mut settings = RevisionSettings::default();
    settings.secrets.insert("crm-key".into(), SecretGrant { version: 1, sealed: "forged".into() });
    registry.grant_secrets(&acme, &mut settings).unwrap();
    let grant = &settings.secrets["crm-key"];
    let key = registry.secrets_key();
    assert_eq!(grant.version, 2, "the newest, whatever was asked for");
    assert_eq!(key.open(&acme, "crm-key", grant).unwrap().expose(), "two");
    let older = SecretGrant { version: 1, ..grant.clone() };
    for (tenant, name, grant) in
        [(&evil, "crm-key", grant), (&acme, "other", grant), (&acme, "crm-key", &older)]
    {
        assert!(key.open(tenant, name, grant).is_none(), "{tenant} {name} {}", grant.version);
    }

    settings.secrets.insert("other".into(), SecretGrant::default());
    let error = registry.grant_secrets(&acme, &mut settings).unwrap_err().to_string();
    assert!(error.contains("hookswitch secret set other --tenant acme"), "{error}");
    registry.delete_secret(&acme, "crm-key").unwrap();
    assert!(matches!(registry.delete_secret(&acme, "crm-key"), Err(RegistryError::NotFound(_))));
    assert_eq!(registry.secrets(&evil).unwrap().len(), 1);
    for n in 1..crate::secrets::SECRETS_MAX {
        registry.put_secret(&evil, &format!("s{n}"), &Secret::new("x".into()), "ci", NOW).unwrap();
    }
    let error = registry.put_secret(&evil, "more", &Secret::new("x".into()), "ci", NOW).unwrap_err();
    assert!(matches!(error, RegistryError::Conflict(_)), "{error}");
}
