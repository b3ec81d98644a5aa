//! Each difference between two revisions, with its risk, its reason and its line.

use super::*;
use crate::handler_toml::{OnFailure, SecretGrant};

#[derive(Clone)]
struct Owned {
    digest: Digest,
    settings: RevisionSettings,
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Owned {
    fn facts(&self) -> Facts<'_> {
        Facts {
            digest: self.digest,
            settings: &self.settings,
            imports: &self.imports,
            exports: &self.exports,
        }
    }
}

fn schedule(name: &str) -> ScheduleSettings {
    ScheduleSettings { name: name.into(), cron: "@daily".into(), timezone: "UTC".into() }
}

fn old() -> Owned {
    let config = [("greeting", "Welcome"), ("hours", "9-17")];
    Owned {
        digest: Digest::of(b"old"),
        settings: RevisionSettings {
            fallback: Some("<Response/>".into()),
            strict: Some(false),
            config: config.map(|(key, value)| (key.into(), value.into())).into(),
            outbound_allow: vec!["https://a.example".into(), "https://b.example".into()],
            secrets: [("crm".to_owned(), SecretGrant::default())].into(),
            schedule: vec![schedule("report")],
            ..RevisionSettings::default()
        },
        imports: vec!["hookswitch:handler/log@0.1.0".into(), "wasi:io/poll@0.2.3".into()],
        exports: vec!["hookswitch:handler/voice@0.1.0".into()],
    }
}

type Case = (&'static str, fn(&mut Owned), ReleaseRisk, &'static str, &'static [&'static str]);

#[test]
fn each_change_has_its_risk_its_reason_and_its_line() {
    use ReleaseRisk::{Code, Content, Contract};
    let cases: &[Case] = &[
        ("nothing", |_| {}, Content, "nothing changed", &[]),
        (
            "config changed",
            |new| {
                new.settings.config.insert("greeting".into(), "secret words".into());
            },
            Content,
            "only config changed",
            &["config.greeting changed"],
        ),
        (
            "config key added",
            |new| {
                new.settings.config.insert("menu".into(), "1".into());
            },
            Content,
            "only config changed",
            &["config + menu"],
        ),
        (
            "config key added and one taken out",
            |new| {
                new.settings.config.remove("hours");
                new.settings.config.insert("menu".into(), "1".into());
            },
            Code,
            "config key removed",
            &["config - hours", "config + menu"],
        ),
        (
            "config key that would clear a terminal",
            |new| {
                new.settings.config.insert("a\u{1b}[2J".into(), String::new());
            },
            Content,
            "only config changed",
            &["config + a\\u{1b}[2J"],
        ),
        (
            "fallback changed",
            |new| new.settings.fallback = Some("<Response></Response>".into()),
            Content,
            "only fallback changed",
            &["fallback changed"],
        ),
        (
            "fallback gone",
            |new| new.settings.fallback = None,
            Code,
            "fallback document removed",
            &["fallback - its own document"],
        ),
        (
            "on_failure",
            |new| new.settings.on_failure = OnFailure::Error,
            Content,
            "only on_failure changed",
            &["on_failure fallback → error"],
        ),
        (
            "schedules",
            |new| {
                new.settings.schedule.push(schedule("remind"));
            },
            Content,
            "only schedule changed",
            &["schedule + remind"],
        ),
        (
            "all settings gone with other code, as of a deploy without handler.toml",
            |new| {
                new.digest = Digest::of(b"new");
                new.settings = RevisionSettings::default();
            },
            Contract,
            "entry of outbound.allow and secret removed",
            &[
                "code cba06b57 → 11507a0e",
                "outbound.allow - https://a.example",
                "outbound.allow - https://b.example",
                "secrets - crm",
                "strict false → left to the host",
                "fallback - its own document",
                "schedule - report",
                "config - greeting",
                "config - hours",
            ],
        ),
        ("secret gone", |new| new.settings.secrets.clear(), Contract, "secret removed", &["secrets - crm"]),
        (
            "schedule gone",
            |new| new.settings.schedule.clear(),
            Code,
            "schedule removed",
            &["schedule - report"],
        ),
        (
            "strict on",
            |new| new.settings.strict = Some(true),
            Code,
            "strict changed",
            &["strict false → true"],
        ),
        (
            "strict left to the host",
            |new| new.settings.strict = None,
            Content,
            "only strict changed",
            &["strict false → left to the host"],
        ),
        (
            "words in two places",
            |new| {
                new.settings.fallback = None;
                new.settings.config.clear();
            },
            Code,
            "fallback document and config key removed",
            &["fallback - its own document", "config - greeting", "config - hours"],
        ),
        ("code", |new| new.digest = Digest::of(b"new"), Code, "code changed", &["code cba06b57 → 11507a0e"]),
        (
            "code and words",
            |new| {
                new.digest = Digest::of(b"new");
                new.settings.config.clear();
            },
            Code,
            "code changed, config key removed",
            &["code cba06b57 → 11507a0e", "config - greeting", "config - hours"],
        ),
        (
            "limit raised",
            |new| new.settings.limits.memory_mib = 64,
            Contract,
            "limits changed",
            &["limits.memory_mib 32 → 64"],
        ),
        (
            "limit lowered",
            |new| new.settings.limits.concurrency = 1,
            Contract,
            "limits changed",
            &["limits.concurrency 100 → 1"],
        ),
        (
            "times",
            |new| {
                new.settings.limits.cpu_ms = 50;
                new.settings.limits.deadline_ms = 2_000;
            },
            Contract,
            "limits changed",
            &["limits.deadline_ms 3000 → 2000", "limits.cpu_ms 100 → 50"],
        ),
        (
            "allow-list",
            |new| {
                new.settings.outbound_allow.remove(0);
                new.settings.outbound_allow.push("https://c.example".into());
            },
            Contract,
            "outbound.allow changed, entry of outbound.allow removed",
            &["outbound.allow + https://c.example", "outbound.allow - https://a.example"],
        ),
        (
            "order of the allow-list",
            |new| new.settings.outbound_allow.reverse(),
            Content,
            "nothing changed",
            &[],
        ),
        (
            "import more",
            |new| new.imports.push("hookswitch:handler/store@0.1.0".into()),
            Contract,
            "imports changed",
            &["imports + hookswitch:handler/store@0.1.0"],
        ),
        (
            "import less",
            |new| new.imports.clear(),
            Contract,
            "imports changed",
            &["imports - hookswitch:handler/log@0.1.0", "imports - wasi:io/poll@0.2.3"],
        ),
        ("order of imports", |new| new.imports.reverse(), Content, "nothing changed", &[]),
        (
            "compatible WASI",
            |new| new.imports[1] = "wasi:io/poll@0.2.6".into(),
            Content,
            "only imports changed",
            &["imports wasi:io/poll@0.2.3 → wasi:io/poll@0.2.6"],
        ),
        (
            "other WASI",
            |new| new.imports[1] = "wasi:io/poll@0.3.0".into(),
            Contract,
            "imports changed",
            &["imports + wasi:io/poll@0.3.0", "imports - wasi:io/poll@0.2.3"],
        ),
        (
            "unfinished WASI",
            |new| new.imports[1] = "wasi:io/poll@0.2.3-rc.1".into(),
            Contract,
            "imports changed",
            &["imports + wasi:io/poll@0.2.3-rc.1", "imports - wasi:io/poll@0.2.3"],
        ),
        (
            "contract's version, by its last digit",
            |new| new.exports[0] = "hookswitch:handler/voice@0.1.1".into(),
            Contract,
            "exports changed",
            &["exports + hookswitch:handler/voice@0.1.1", "exports - hookswitch:handler/voice@0.1.0"],
        ),
        (
            "everything",
            |new| {
                new.digest = Digest::of(b"new");
                new.settings.limits.cpu_ms = 1;
                new.settings.outbound_allow.clear();
                new.imports.clear();
            },
            Contract,
            "imports and limits changed, entry of outbound.allow removed",
            &[
                "code cba06b57 → 11507a0e",
                "imports - hookswitch:handler/log@0.1.0",
                "imports - wasi:io/poll@0.2.3",
                "limits.cpu_ms 100 → 1",
                "outbound.allow - https://a.example",
                "outbound.allow - https://b.example",
            ],
        ),
    ];
    for (name, change, risk, reason, changes) in cases {
        let old = old();
        let mut new = old.clone();
        change(&mut new);
        let found = assess(&new.facts(), Some(&old.facts()), Risk::Auto);
        assert_eq!(found.risk, *risk, "{name}");
        assert_eq!(found.reason, *reason, "{name}");
        assert_eq!(found.changes, *changes, "{name}");
    }
}

#[test]
fn a_value_of_config_is_never_shown() {
    let (old, mut new) = (old(), old());
    new.settings.config.insert("greeting".into(), "hunter2".into());
    for asked in [Risk::Auto, Risk::Contract] {
        let found = assess(&new.facts(), Some(&old.facts()), asked);
        assert!(!format!("{found:?}").contains("hunter2"));
        assert!(!format!("{found:?}").contains("Welcome"));
    }
}

#[test]
fn who_asks_for_a_risk_gets_it_and_still_hears_what_was_found() {
    let (old, mut new) = (old(), old());
    new.settings.limits.cpu_ms = 5;
    for (asked, risk, reason) in [
        (Risk::Content, ReleaseRisk::Content, "content was asked for; it would be contract: limits changed"),
        (Risk::Code, ReleaseRisk::Code, "code was asked for; it would be contract: limits changed"),
        (Risk::Contract, ReleaseRisk::Contract, "limits changed; contract, as was asked"),
    ] {
        let found = assess(&new.facts(), Some(&old.facts()), asked);
        assert_eq!((found.risk, found.reason.as_str()), (risk, reason));
        assert_eq!(found.changes, ["limits.cpu_ms 100 → 5"]);
    }
}

#[test]
fn the_first_revision_replaces_nothing() {
    let new = old();
    let found = assess(&new.facts(), None, Risk::Auto);
    assert_eq!((found.risk, found.reason.as_str()), (ReleaseRisk::Code, "the first revision"));
    assert!(found.changes.is_empty());
}
