//! Tables: what a file means, and what is said about a wrong one.

use std::fs;
use std::path::Path;

use super::{BuildMethod, HandlerSettings, Limits, LimitsMax, OnFailure, Risk, SettingsError};

fn parse(text: &str) -> Result<HandlerSettings, SettingsError> {
    HandlerSettings::parse(text, Path::new("/handlers/front-desk/handler.toml"), "front-desk")
}

#[test]
fn a_missing_file_means_defaults_and_the_folders_name() {
    let dir = tempfile::tempdir().unwrap();
    let handler = dir.path().join("Front_Desk");
    fs::create_dir(&handler).unwrap();
    fs::write(handler.join("Cargo.toml"), "").unwrap();

    let settings = HandlerSettings::load(&handler).unwrap();

    assert_eq!(settings.name.as_str(), "front-desk");
    assert_eq!(settings.build, BuildMethod::Cargo);
    assert_eq!(settings.limits, Limits::default());
    assert_eq!(
        (settings.on_failure, settings.strict, settings.risk),
        (OnFailure::Fallback, None, Risk::Auto)
    );
    assert!(settings.fallback.is_none() && settings.config.is_empty() && settings.outbound_allow.is_empty());
}

#[test]
fn every_key_arrives() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("sorry.xml"), "<Response/>").unwrap();
    fs::write(
        dir.path().join("handler.toml"),
        r#"
        name = "ivr"
        build = "npm run build"
        component = "dist/ivr.wasm"
        fallback = "sorry.xml"
        on_failure = "error"
        strict = true
        [limits]
        deadline_ms = 5000
        cpu_ms = 200
        memory_mib = 64
        concurrency = 7
        web_deadline_ms = 20000
        [config]
        zebra = "last"
        greeting = "Welcome"
        count = 3
        share = 1.5
        open = true
        since = 2026-01-02
        hours = { from = 9, to = 17.5 }
        days = ["mon", "tue"]
        [outbound]
        allow = ["https://API.example.com", "http://localhost:3000/", "https://*.Example.com:443/v1"]
        [[schedule]]
        name = "remind"
        cron = "*/5 9-17 * * mon-fri"
        timezone = "Europe/Berlin"
        [[schedule]]
        name = "report"
        cron = "@daily"
        [release]
        risk = "contract"
        "#,
    )
    .unwrap();

    let settings = HandlerSettings::load(dir.path()).unwrap();

    let real = fs::canonicalize(dir.path()).unwrap();
    assert_eq!(settings.name.as_str(), "ivr");
    assert_eq!(
        settings.build,
        BuildMethod::Command { line: "npm run build".into(), component: real.join("dist/ivr.wasm") }
    );
    assert_eq!(settings.fallback.unwrap().text, "<Response/>");
    assert_eq!(
        (settings.on_failure, settings.strict, settings.risk),
        (OnFailure::Error, Some(true), Risk::Contract)
    );
    let limits =
        Limits { deadline_ms: 5000, cpu_ms: 200, memory_mib: 64, concurrency: 7, web_deadline_ms: 20_000 };
    assert_eq!(settings.limits, limits);
    let schedules: Vec<_> = settings.schedule.iter().map(|s| (&*s.name, &*s.cron, &*s.timezone)).collect();
    assert_eq!(schedules, [("remind", "*/5 9-17 * * mon-fri", "Europe/Berlin"), ("report", "@daily", "UTC")]);
    let config: Vec<(&str, &str)> = settings.config.iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(
        config,
        [
            ("count", "3"),
            ("days", r#"["mon","tue"]"#),
            ("greeting", "Welcome"),
            ("hours", r#"{"from":9,"to":17.5}"#),
            ("open", "true"),
            ("share", "1.5"),
            ("since", "2026-01-02"),
            ("zebra", "last"),
        ]
    );
    assert_eq!(
        settings.outbound_allow,
        ["https://api.example.com", "http://localhost:3000", "https://*.example.com/v1"]
    );
}

#[test]
fn a_wasm_file_is_named_after_itself() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sms_keywords.wasm");
    fs::write(&file, "").unwrap();

    let settings = HandlerSettings::load(&file).unwrap();

    assert_eq!(settings.name.as_str(), "sms-keywords");
    assert_eq!(settings.build, BuildMethod::Ready { component: None });
    assert!(!settings.written, "all defaults");
    fs::write(dir.path().join("handler.toml"), "").unwrap();
    assert!(HandlerSettings::load(&file).unwrap().written, "an empty file says that the defaults are meant");
}

#[test]
fn a_wrong_file_is_told_where_and_what_to_try() {
    // text, line, words of the message
    let cases: &[(&str, Option<usize>, &[&str])] = &[
        ("nmae = \"x\"", Some(1), &["unknown field `nmae`", "did you mean `name`?"]),
        ("\n\n[limits]\ndeadline = 5", Some(4), &["unknown field `deadline`"]),
        ("[limits]\ncpu-ms = 5", Some(2), &["did you mean `cpu_ms`?"]),
        ("[limit]\ncpu_ms = 5", Some(1), &["did you mean `limits`?"]),
        ("[limits]\n\ncpu_ms = 0", Some(3), &["[limits] cpu_ms is 0", "default of 100"]),
        ("[limits]\nmemory_mib = -1", Some(2), &["-1", "u64"]),
        ("[limits]\nmemory_mib = \"32\"", Some(2), &["string", "u64"]),
        ("on_failure = \"eror\"", Some(1), &["did you mean `error`?"]),
        ("strict = \"yes\"", Some(1), &["boolean"]),
        ("name = \"Front Desk\"", Some(1), &["name: \"Front Desk\" is not a handler name"]),
        ("build = \"make\"", Some(1), &["needs `component ="]),
        ("build = \" \"\ncomponent = \"x\"", Some(1), &["build: empty"]),
        ("build = \"cargo\"\ncomponent = \"x\"", Some(2), &["component: cargo's is found by itself"]),
        ("fallback = \"gone.xml\"", Some(1), &["gone.xml could not be read", "folder of this file"]),
        ("name = ", Some(1), &[]),
        ("name = \"a\"\nname = \"b\"", Some(2), &["duplicate key"]),
        ("[release]\nrisk = \"low\"", Some(2), &["`auto`", "`contract`"]),
        ("[outbound]\nallow = [\n\"api.example.com\"]", Some(3), &["is not a URL", "https://host"]),
        ("[outbound]\nallow = [\"ftp://a\"]", Some(2), &["scheme"]),
        ("[outbound]\nallow = [\"https://u:p@a\"]", Some(2), &["user name or password"]),
        ("[outbound]\nallow = [\"https://a/path?x\"]", Some(2), &["a query or a fragment"]),
        ("[outbound]\nallow = [\"https://a:0\"]", Some(2), &["port 0"]),
        ("[outbound]\nallow = [\"https://*.a\"]", Some(2), &["wildcard"]),
        (
            "[[schedule]]\nname = \"a\"\ncron = \"* * * * * *\"",
            Some(3),
            &["[[schedule]] cron", "seconds are not offered"],
        ),
        ("[[schedule]]\nname = \"a\"", Some(1), &["missing field `cron`"]),
        (
            "[[schedule]]\nname = \"a\"\ncron = \"@daily\"\ntimezone = \"Berlin\"",
            Some(4),
            &["[[schedule]] timezone: \"Berlin\" is not in the time zone database"],
        ),
        (
            "[[schedule]]\nname = \"a\"\ncron = \"@daily\"\n[[schedule]]\nname = \"a\"\ncron = \"@hourly\"",
            Some(5),
            &["\"a\" is there twice"],
        ),
    ];
    for (text, line, words) in cases {
        let error = parse(text).expect_err(text);
        let message = error.to_string();
        let SettingsError::Invalid { line: found, .. } = &error else { panic!("{text}: {message}") };
        assert_eq!(found, line, "{text}: {message}");
        assert!(message.starts_with("/handlers/front-desk/handler.toml:"), "{text}: {message}");
        for word in *words {
            assert!(message.contains(word), "{text}: {word:?} is missing in {message}");
        }
    }
}

#[test]
fn a_folder_whose_name_does_not_fit_asks_for_one() {
    let error =
        HandlerSettings::parse("", Path::new("/h/handler.toml"), "my handler").unwrap_err().to_string();
    assert!(error.contains("\"my handler\" is not a handler name") && error.contains("name = "), "{error}");
}

#[test]
fn an_over_long_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("handler.toml"), "#".repeat(super::FILE_BYTES_MAX as usize + 1)).unwrap();
    let error = HandlerSettings::load(dir.path()).unwrap_err().to_string();
    assert!(error.contains("longer than"), "{error}");
}

#[test]
fn limits_beyond_the_operators_name_key_value_and_maximum() {
    let max = LimitsMax::default();
    let limits = Limits::default();
    assert!(limits.check(&max).is_ok());
    for (limits, key) in [
        (Limits { deadline_ms: 14_001, ..limits }, "deadline_ms is 14001; this host allows at most 14000"),
        (Limits { cpu_ms: 5_001, ..limits }, "cpu_ms is 5001; this host allows at most 5000"),
        (Limits { memory_mib: 257, ..limits }, "memory_mib is 257; this host allows at most 256"),
        (Limits { concurrency: 257, ..limits }, "concurrency is 257; this host allows at most 256"),
        (
            Limits { web_deadline_ms: 30_001, ..limits },
            "web_deadline_ms is 30001; this host allows at most 30000",
        ),
    ] {
        let error = limits.check(&max).unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
}

#[test]
fn what_uses_nothing_new_is_written_as_an_older_host_reads_it() {
    let written = serde_json::to_value(super::RevisionSettings::default()).unwrap();
    assert!(written.get("schedule").is_none(), "{written}");
    assert!(written["limits"].get("web_deadline_ms").is_none(), "{written}");
    let old = r#"{"limits":{"deadline_ms":3000,"cpu_ms":100,"memory_mib":32,"concurrency":100}}"#;
    let read: super::RevisionSettings = serde_json::from_str(old).unwrap();
    assert_eq!(read, super::RevisionSettings::default());
}
