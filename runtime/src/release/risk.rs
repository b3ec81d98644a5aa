//! Says how much can go wrong with a revision, by comparing it with the one that it replaces.
//!
//! The idea: what differs decides, and whether a canary could show the harm. Words are heard as they were written, so they
//! take all calls at once; code and what makes the host refuse more documents can fail calls, and a failure rate shows it;
//! what a handler may do, what it may use and how it is called can hurt in ways that no failure rate shows (a neighbour,
//! somebody else's server, a caller who never gets through), so a person looks at it.
//!
//! | what changed | risk | why |
//! | --- | --- | --- |
//! | `config`, `fallback` | content | words; the fallback was parsed when it was deployed |
//! | `on_failure` | content | changes what is heard after a failure, not how often one happens: a canary would learn nothing |
//! | `strict` turned on | code | documents that callers heard yesterday become failures |
//! | `strict` turned off or left to the host | content | nothing fails that did not |
//! | component | code | |
//! | `schedule` | content | it runs on the stable revision alone, and no canary would learn anything of it |
//! | `limits`, either way | contract | less cuts calls off under load, more is taken from others |
//! | `outbound.allow` | contract | who it may reach; the order means nothing |
//! | names in `secrets` | contract | what it is trusted with |
//! | a secret's version | content | a value that its tenant set anew, as `config` |
//! | imports, exports, the contract's version | contract | what it can do and which webhooks it answers |
//!
//! An interface of WASI whose version moved within what the component model calls compatible (`@0.2.3` → `@0.2.6`, which a
//! newer compiler brings about) is the same interface. With `hookswitch:handler` every digit counts.

use std::collections::{BTreeMap, BTreeSet};

use super::ReleaseRisk;
use crate::digest::Digest;
use crate::handler_toml::{Limits, RevisionSettings, Risk};
use crate::schedule::ScheduleSettings;

/// What of a revision decides its risk.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Its component.
    pub digest: Digest,
    /// Its settings.
    pub settings: &'a RevisionSettings,
    /// The interfaces that it imports, as the component names them.
    pub imports: &'a [String],
    /// The interfaces of ours that it exports.
    pub exports: &'a [String],
}

/// How risky a revision is, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// What it is released by.
    pub risk: ReleaseRisk,
    /// Why, for people: `limits changed`.
    pub reason: String,
    /// What differs, a line each, for people. Values of `config` are not shown; they may be nobody's business.
    pub changes: Vec<String>,
}

/// One difference: how risky, what (for the reason), and the line.
struct Difference(ReleaseRisk, &'static str, String);

/// Compares `new` with the revision that it replaces, which is the stable one, whatever is on trial; none for the first.
///
/// `asked` other than [`Risk::Auto`] is what it is released by, and the reason then says what was found.
#[must_use]
pub fn assess(new: &Facts<'_>, old: Option<&Facts<'_>>, asked: Risk) -> Assessment {
    let differences = old.map(|old| differences(new, old)).unwrap_or_default();
    let (found, why) = match old {
        None => (ReleaseRisk::Code, "the first revision".to_owned()),
        Some(_) => found(&differences),
    };
    let (risk, reason) = match asked {
        Risk::Auto => (found, why),
        Risk::Content => (ReleaseRisk::Content, overridden(ReleaseRisk::Content, found, &why)),
        Risk::Code => (ReleaseRisk::Code, overridden(ReleaseRisk::Code, found, &why)),
        Risk::Contract => (ReleaseRisk::Contract, overridden(ReleaseRisk::Contract, found, &why)),
    };
    Assessment { risk, reason, changes: differences.into_iter().map(|difference| difference.2).collect() }
}

fn overridden(asked: ReleaseRisk, found: ReleaseRisk, why: &str) -> String {
    if asked == found {
        format!("{why}; {asked}, as was asked")
    } else {
        format!("{asked} was asked for; it would be {found}: {why}")
    }
}

/// The highest risk of all differences, and the names of those that have it.
fn found(differences: &[Difference]) -> (ReleaseRisk, String) {
    let Some(risk) = differences.iter().map(|difference| difference.0).max() else {
        return (ReleaseRisk::Content, "nothing changed".to_owned());
    };
    let mut what: Vec<&str> = Vec::new();
    for difference in differences.iter().filter(|difference| difference.0 == risk) {
        if !what.contains(&difference.1) {
            what.push(difference.1);
        }
    }
    let what = match what.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => what.concat(),
    };
    (
        risk,
        if risk == ReleaseRisk::Content { format!("only {what} changed") } else { format!("{what} changed") },
    )
}

fn differences(new: &Facts<'_>, old: &Facts<'_>) -> Vec<Difference> {
    use ReleaseRisk::{Code, Content, Contract};
    let mut all = Vec::new();
    if new.digest != old.digest {
        all.push(Difference(Code, "code", format!("code {} → {}", short(old.digest), short(new.digest))));
    }

    interfaces(&mut all, "imports", new.imports, old.imports);
    interfaces(&mut all, "exports", new.exports, old.exports);

    // Taken apart, so that a new setting makes the compiler ask what it can do to a caller.
    let RevisionSettings { fallback, on_failure, strict, limits, config, secrets, outbound_allow, schedule } =
        new.settings;
    let was = old.settings;

    limits_changed(&mut all, limits, &was.limits);
    let [allow, allowed] =
        [outbound_allow, &was.outbound_allow].map(|list| list.iter().collect::<BTreeSet<_>>());
    for origin in allow.difference(&allowed) {
        all.push(Difference(Contract, "outbound.allow", format!("outbound.allow + {}", shown(origin))));
    }
    for origin in allowed.difference(&allow) {
        all.push(Difference(Contract, "outbound.allow", format!("outbound.allow - {}", shown(origin))));
    }

    for name in secrets.keys().chain(was.secrets.keys()).collect::<BTreeSet<_>>() {
        let (risk, line) = match (was.secrets.get(name), secrets.get(name)) {
            (None, _) => (Contract, format!("secrets + {}", shown(name))),
            (_, None) => (Contract, format!("secrets - {}", shown(name))),
            (Some(was), Some(now)) if was != now => {
                (Content, format!("secrets.{} version {} → {}", shown(name), was.version, now.version))
            }
            _ => continue,
        };
        all.push(Difference(risk, "secrets", line));
    }

    if *strict != was.strict {
        let risk = if *strict == Some(true) { Code } else { Content };
        let word =
            |strict: Option<bool>| strict.map_or_else(|| "left to the host".to_owned(), |on| on.to_string());
        all.push(Difference(risk, "strict", format!("strict {} → {}", word(was.strict), word(*strict))));
    }
    if *on_failure != was.on_failure {
        let line = format!("on_failure {:?} → {on_failure:?}", was.on_failure).to_lowercase();
        all.push(Difference(Content, "on_failure", line));
    }
    match (&was.fallback, fallback) {
        (None, Some(_)) => {
            all.push(Difference(Content, "fallback", "fallback + its own document".to_owned()))
        }
        (Some(_), None) => {
            all.push(Difference(Content, "fallback", "fallback - its own document".to_owned()))
        }
        (was, now) if was != now => all.push(Difference(Content, "fallback", "fallback changed".to_owned())),
        _ => {}
    }
    let named = |list: &[ScheduleSettings]| -> BTreeMap<String, ScheduleSettings> {
        list.iter().map(|schedule| (schedule.name.clone(), schedule.clone())).collect()
    };
    let (now, was_named) = (named(schedule), named(&was.schedule));
    for name in now.keys().chain(was_named.keys()).collect::<BTreeSet<_>>() {
        let line = match (was_named.get(name), now.get(name)) {
            (None, _) => format!("schedule + {}", shown(name)),
            (_, None) => format!("schedule - {}", shown(name)),
            (was, now) if was != now => format!("schedule.{} changed", shown(name)),
            _ => continue,
        };
        all.push(Difference(Content, "schedule", line));
    }
    for key in config.keys().chain(was.config.keys()).collect::<BTreeSet<_>>() {
        let line = match (was.config.get(key), config.get(key)) {
            (None, _) => format!("config + {}", shown(key)),
            (_, None) => format!("config - {}", shown(key)),
            (was, now) if was != now => format!("config.{} changed", shown(key)),
            _ => continue,
        };
        all.push(Difference(Content, "config", line));
    }
    all
}

fn limits_changed(all: &mut Vec<Difference>, new: &Limits, old: &Limits) {
    let Limits { deadline_ms, cpu_ms, memory_mib, concurrency, web_deadline_ms } = *new;
    for (key, was, now) in [
        ("deadline_ms", old.deadline_ms, deadline_ms),
        ("cpu_ms", old.cpu_ms, cpu_ms),
        ("memory_mib", old.memory_mib, memory_mib),
        ("concurrency", old.concurrency, concurrency),
        ("web_deadline_ms", old.web_deadline_ms, web_deadline_ms),
    ] {
        if was != now {
            all.push(Difference(ReleaseRisk::Contract, "limits", format!("limits.{key} {was} → {now}")));
        }
    }
}

/// Compares two lists of interfaces, whatever their order.
fn interfaces(all: &mut Vec<Difference>, what: &'static str, new: &[String], old: &[String]) {
    let by_track = |list: &[String]| -> BTreeMap<String, String> {
        list.iter().map(|name| (track(name), name.clone())).collect()
    };
    let (new, old) = (by_track(new), by_track(old));
    for (track, name) in &new {
        match old.get(track) {
            None => all.push(Difference(ReleaseRisk::Contract, what, format!("{what} + {}", shown(name)))),
            // The same to the host, but people who wonder what their compiler did find it here.
            Some(was) if was != name => {
                all.push(Difference(
                    ReleaseRisk::Content,
                    what,
                    format!("{what} {} → {}", shown(was), shown(name)),
                ));
            }
            Some(_) => {}
        }
    }
    for (_, name) in old.iter().filter(|(track, _)| !new.contains_key(*track)) {
        all.push(Difference(ReleaseRisk::Contract, what, format!("{what} - {}", shown(name))));
    }
}

/// An interface's name with the part of its version that compatible ones share: `wasi:io/poll@0.2`.
fn track(name: &str) -> String {
    let Some((interface, version)) = name.rsplit_once('@') else { return name.to_owned() };
    if !interface.starts_with("wasi:") || version.contains(['-', '+']) {
        return name.to_owned();
    }
    let parts: Vec<&str> = version.split('.').collect();
    match parts.as_slice() {
        ["0", "0", _] => name.to_owned(),
        ["0", minor, _] => format!("{interface}@0.{minor}"),
        [major, _, _] => format!("{interface}@{major}"),
        _ => name.to_owned(),
    }
}

fn short(digest: Digest) -> String {
    digest.to_string().chars().take(8).collect()
}

/// A text of the tenant's, fit for a terminal: at most 120 characters, none of which moves the cursor.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(120).flat_map(char::escape_debug).collect();
    if text.chars().nth(120).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler_toml::OnFailure;

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

    fn old() -> Owned {
        let config = [("greeting", "Welcome"), ("hours", "9-17")];
        Owned {
            digest: Digest::of(b"old"),
            settings: RevisionSettings {
                fallback: Some("<Response/>".into()),
                strict: Some(false),
                config: config.map(|(key, value)| (key.into(), value.into())).into(),
                outbound_allow: vec!["https://a.example".into(), "https://b.example".into()],
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
                "config key added and one taken out",
                |new| {
                    new.settings.config.remove("hours");
                    new.settings.config.insert("menu".into(), "1".into());
                },
                Content,
                "only config changed",
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
                Content,
                "only fallback changed",
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
                    new.settings.schedule = vec![ScheduleSettings {
                        name: "remind".into(),
                        cron: "@daily".into(),
                        timezone: "UTC".into(),
                    }];
                },
                Content,
                "only schedule changed",
                &["schedule + remind"],
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
                Content,
                "only fallback and config changed",
                &["fallback - its own document", "config - greeting", "config - hours"],
            ),
            (
                "code",
                |new| new.digest = Digest::of(b"new"),
                Code,
                "code changed",
                &["code cba06b57 → 11507a0e"],
            ),
            (
                "code and words",
                |new| {
                    new.digest = Digest::of(b"new");
                    new.settings.config.clear();
                },
                Code,
                "code changed",
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
                "outbound.allow changed",
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
                "imports, limits and outbound.allow changed",
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
            (
                Risk::Content,
                ReleaseRisk::Content,
                "content was asked for; it would be contract: limits changed",
            ),
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
}
