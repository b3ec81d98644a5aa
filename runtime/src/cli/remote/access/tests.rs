//! Which host, token and tenant are found where.

use super::*;

/// What stands where; empty means nothing does.
#[derive(Default)]
struct Case {
    flag: &'static str,
    flag_token: &'static str,
    context: &'static str,
    environment: &'static [(&'static str, &'static str)],
    saved: &'static str,
    operator_token: bool,
}

const SAVED: &str = "current = 'one'\n[contexts.one]\ncontrol = 'https://one.test/'\ntoken = 'T1'\ntenant = 'acme'\n\
    [contexts.two]\ncontrol = 'https://two.test/'\ntoken = 'T2'\n[contexts.bare]\ncontrol = 'https://bare.test/'\n";
const ENVIRONMENT: &[(&str, &str)] = &[
    ("HOOKSWITCH_CONTROL", "https://env.test"),
    ("HOOKSWITCH_TOKEN", "TE"),
    ("HOOKSWITCH_TENANT", "env-tenant"),
];

fn find(case: &Case) -> Result<(String, String, String), String> {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    if case.operator_token {
        std::fs::create_dir_all(folder.path().join("hookswitch-data")).unwrap();
        std::fs::write(folder.path().join(OPERATOR_TOKEN_FILE), "TO\n").unwrap();
    }
    if !case.saved.is_empty() {
        std::fs::create_dir_all(home.join("hookswitch")).unwrap();
        std::fs::write(home.join("hookswitch/contexts.toml"), case.saved).unwrap();
    }
    let environment = case.environment;
    let home_text = home.display().to_string();
    let surroundings = Surroundings {
        variables: Box::new(move |name| match name {
            "XDG_CONFIG_HOME" => Some(home_text.clone()),
            _ => environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()),
        }),
        folder: folder.path().to_owned(),
        input: RefCell::new(Box::new(std::io::empty())),
        patience: PATIENCE,
    };
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let args = HostArgs {
        control: given(case.flag).map(|url| control_url(&url).unwrap()),
        token: given(case.flag_token),
        token_file: None,
        context: given(case.context),
    };
    let access = Access::find(&args, None, &surroundings).map_err(|error| error.to_string())?;
    let token = access.token.map(|token| format!("{} ({})", token.secret.expose(), token.source));
    let tenant = access.tenant.map(|tenant| tenant.to_string());
    Ok((access.control.to_string(), token.unwrap_or_default(), tenant.unwrap_or_default()))
}

#[test]
fn a_flag_goes_before_the_environment_before_the_context_before_the_default() {
    let everything = || Case {
        flag: "https://flag.test",
        flag_token: "TF",
        environment: ENVIRONMENT,
        saved: SAVED,
        operator_token: true,
        ..Case::default()
    };
    for (name, case, expected) in [
        ("nothing", Case::default(), ("http://127.0.0.1:8081/", "", "")),
        ("all", everything(), ("https://flag.test/", "TF (--token)", "env-tenant")),
        (
            "environment",
            Case { flag: "", flag_token: "", ..everything() },
            ("https://env.test/", "TE (HOOKSWITCH_TOKEN)", "env-tenant"),
        ),
        (
            "context",
            Case { saved: SAVED, operator_token: true, ..Case::default() },
            ("https://one.test/", "T1 (context one)", "acme"),
        ),
        (
            "a named context goes before the environment",
            Case { flag: "", flag_token: "", context: "one", ..everything() },
            ("https://one.test/", "T1 (context one)", "acme"),
        ),
        (
            "which fills what a named context leaves open",
            Case { flag: "", flag_token: "", context: "bare", ..everything() },
            ("https://bare.test/", "TE (HOOKSWITCH_TOKEN)", "env-tenant"),
        ),
        (
            "default",
            Case { operator_token: true, ..Case::default() },
            ("http://127.0.0.1:8081/", "TO (hookswitch-data/operator-token)", ""),
        ),
        (
            "an empty variable is none",
            Case {
                environment: &[("HOOKSWITCH_CONTROL", ""), ("HOOKSWITCH_TOKEN", "")],
                saved: SAVED,
                ..Case::default()
            },
            ("https://one.test/", "T1 (context one)", "acme"),
        ),
    ] {
        let expected = (expected.0.to_owned(), expected.1.to_owned(), expected.2.to_owned());
        assert_eq!(find(&case), Ok(expected), "{name}");
    }
}

#[test]
fn a_saved_token_never_goes_to_another_host() {
    for (name, case, expected) in [
        (
            "context's",
            Case { flag: "https://evil.test", saved: SAVED, ..Case::default() },
            ("https://evil.test/", ""),
        ),
        (
            "named context's",
            Case { flag: "https://evil.test", context: "two", saved: SAVED, ..Case::default() },
            ("https://evil.test/", ""),
        ),
        (
            "by environment",
            Case {
                environment: &[("HOOKSWITCH_CONTROL", "https://evil.test")],
                saved: SAVED,
                ..Case::default()
            },
            ("https://evil.test/", ""),
        ),
        (
            "the same host, said by flag",
            Case { flag: "https://one.test", saved: SAVED, ..Case::default() },
            ("https://one.test/", "T1 (context one)"),
        ),
        (
            "the operator's, elsewhere",
            Case { flag: "http://192.0.2.1:8081", operator_token: true, ..Case::default() },
            ("http://192.0.2.1:8081/", ""),
        ),
        (
            "the operator's, on another port of this machine",
            Case { flag: "http://[::1]:9", operator_token: true, ..Case::default() },
            ("http://[::1]:9/", "TO (hookswitch-data/operator-token)"),
        ),
    ] {
        let (control, token, _) = find(&case).unwrap();
        assert_eq!((control.as_str(), token.as_str()), expected, "{name}");
    }
}

#[test]
fn what_makes_no_sense_is_said() {
    for (case, expected) in [
        (Case { context: "three", saved: SAVED, ..Case::default() }, "saved are bare, one, two"),
        (Case { context: "x", ..Case::default() }, "none is saved"),
        (
            Case { environment: &[("HOOKSWITCH_CONTROL", "localhost:8081")], ..Case::default() },
            "HOOKSWITCH_CONTROL: ",
        ),
        (Case { environment: &[("HOOKSWITCH_TENANT", "A/B")], ..Case::default() }, "HOOKSWITCH_TENANT: "),
        (Case { saved: "current = 1", ..Case::default() }, "contexts.toml: "),
    ] {
        let error = find(&case).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    for wrong in ["localhost:8081", "127.0.0.1", "ftp://h", "https://a:b@h", "http://h?x", "http://"] {
        assert!(control_url(wrong).unwrap_err().contains("such as http://"), "{wrong}");
    }
    assert_eq!(control_url("https://h/pre/fix").unwrap().as_str(), "https://h/pre/fix/");
}
