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
//! | a key of `config`, or the own `fallback`, removed | code | no words but the lack of some: what read the key has to do without |
//! | `on_failure` | content | changes what is heard after a failure, not how often one happens: a canary would learn nothing |
//! | `strict` turned on | code | documents that callers heard yesterday become failures |
//! | `strict` turned off or left to the host | content | nothing fails that did not |
//! | component | code | |
//! | `schedule` | content | it runs on the stable revision alone, and no canary would learn anything of it |
//! | a `schedule` removed | code | what it did is not done any more: somebody has a while to see that it is meant |
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

/// One difference: how risky, what (for the reason), whether that is gone, and the line.
struct Difference {
    risk: ReleaseRisk,
    what: &'static str,
    is_gone: bool,
    line: String,
}

/// A difference in something that is there.
fn changed(risk: ReleaseRisk, what: &'static str, line: String) -> Difference {
    Difference { risk, what, is_gone: false, line }
}

/// Something that is not there any more.
fn gone(risk: ReleaseRisk, what: &'static str, line: String) -> Difference {
    Difference { risk, what, is_gone: true, line }
}

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
    Assessment { risk, reason, changes: differences.into_iter().map(|difference| difference.line).collect() }
}

fn overridden(asked: ReleaseRisk, found: ReleaseRisk, why: &str) -> String {
    if asked == found {
        format!("{why}; {asked}, as was asked")
    } else {
        format!("{asked} was asked for; it would be {found}: {why}")
    }
}

/// The highest risk of all differences, and the names of those that have it: `code and limits changed, config key removed`.
fn found(differences: &[Difference]) -> (ReleaseRisk, String) {
    let Some(risk) = differences.iter().map(|difference| difference.risk).max() else {
        return (ReleaseRisk::Content, "nothing changed".to_owned());
    };
    let named = |is_gone: bool, verb: &str| {
        let mut what: Vec<&str> = Vec::new();
        for difference in differences.iter().filter(|one| (one.risk, one.is_gone) == (risk, is_gone)) {
            if !what.contains(&difference.what) {
                what.push(difference.what);
            }
        }
        match what.as_slice() {
            [] => None,
            [rest @ .., last] if !rest.is_empty() => Some(format!("{} and {last} {verb}", rest.join(", "))),
            _ => Some(format!("{} {verb}", what.concat())),
        }
    };
    let what: Vec<String> = [named(false, "changed"), named(true, "removed")].into_iter().flatten().collect();
    let what = what.join(", ");
    (risk, if risk == ReleaseRisk::Content { format!("only {what}") } else { what })
}

fn differences(new: &Facts<'_>, old: &Facts<'_>) -> Vec<Difference> {
    use ReleaseRisk::{Code, Content, Contract};
    let mut all = Vec::new();
    if new.digest != old.digest {
        all.push(changed(Code, "code", format!("code {} → {}", short(old.digest), short(new.digest))));
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
        all.push(changed(Contract, "outbound.allow", format!("outbound.allow + {}", shown(origin))));
    }
    for origin in allowed.difference(&allow) {
        all.push(gone(Contract, "entry of outbound.allow", format!("outbound.allow - {}", shown(origin))));
    }

    for name in secrets.keys().chain(was.secrets.keys()).collect::<BTreeSet<_>>() {
        all.push(match (was.secrets.get(name), secrets.get(name)) {
            (None, _) => changed(Contract, "secrets", format!("secrets + {}", shown(name))),
            (_, None) => gone(Contract, "secret", format!("secrets - {}", shown(name))),
            (Some(was), Some(now)) if was != now => {
                let line = format!("secrets.{} version {} → {}", shown(name), was.version, now.version);
                changed(Content, "secrets", line)
            }
            _ => continue,
        });
    }

    if *strict != was.strict {
        let risk = if *strict == Some(true) { Code } else { Content };
        let word =
            |strict: Option<bool>| strict.map_or_else(|| "left to the host".to_owned(), |on| on.to_string());
        all.push(changed(risk, "strict", format!("strict {} → {}", word(was.strict), word(*strict))));
    }
    if *on_failure != was.on_failure {
        let line = format!("on_failure {:?} → {on_failure:?}", was.on_failure).to_lowercase();
        all.push(changed(Content, "on_failure", line));
    }
    match (&was.fallback, fallback) {
        (None, Some(_)) => all.push(changed(Content, "fallback", "fallback + its own document".to_owned())),
        (Some(_), None) => {
            all.push(gone(Code, "fallback document", "fallback - its own document".to_owned()));
        }
        (was, now) if was != now => all.push(changed(Content, "fallback", "fallback changed".to_owned())),
        _ => {}
    }
    let named = |list: &[ScheduleSettings]| -> BTreeMap<String, ScheduleSettings> {
        list.iter().map(|schedule| (schedule.name.clone(), schedule.clone())).collect()
    };
    let (now, was_named) = (named(schedule), named(&was.schedule));
    for name in now.keys().chain(was_named.keys()).collect::<BTreeSet<_>>() {
        all.push(match (was_named.get(name), now.get(name)) {
            (None, _) => changed(Content, "schedule", format!("schedule + {}", shown(name))),
            (_, None) => gone(Code, "schedule", format!("schedule - {}", shown(name))),
            (was, now) if was != now => {
                changed(Content, "schedule", format!("schedule.{} changed", shown(name)))
            }
            _ => continue,
        });
    }
    for key in config.keys().chain(was.config.keys()).collect::<BTreeSet<_>>() {
        all.push(match (was.config.get(key), config.get(key)) {
            (None, _) => changed(Content, "config", format!("config + {}", shown(key))),
            (_, None) => gone(Code, "config key", format!("config - {}", shown(key))),
            (was, now) if was != now => changed(Content, "config", format!("config.{} changed", shown(key))),
            _ => continue,
        });
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
            all.push(changed(ReleaseRisk::Contract, "limits", format!("limits.{key} {was} → {now}")));
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
            None => all.push(changed(ReleaseRisk::Contract, what, format!("{what} + {}", shown(name)))),
            // The same to the host, but people who wonder what their compiler did find it here.
            Some(was) if was != name => {
                all.push(changed(
                    ReleaseRisk::Content,
                    what,
                    format!("{what} {} → {}", shown(was), shown(name)),
                ));
            }
            Some(_) => {}
        }
    }
    for (_, name) in old.iter().filter(|(track, _)| !new.contains_key(*track)) {
        all.push(changed(ReleaseRisk::Contract, what, format!("{what} - {}", shown(name))));
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
mod tests;
