use super::*;
use crate::capability::effects::Import;

/// What stands between the tags of two documents, and the differences that are expected: kind and place.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

#[test]
fn differences_are_told_by_kind_and_place() {
    let cases: &[Case] = &[
        // The same.
        ("", "", &[]),
        ("<Say>a</Say>", "<Say>a</Say>", &[]),
        ("<Say>a</Say>", "\n  <Say>\n a </Say>\n", &[]),
        ("<Say>a</Say>", "<Say>a</Say><!-- remark -->", &[]),
        ("<Say>a &amp; b</Say>", "<Say><![CDATA[a & b]]></Say>", &[]),
        ("<Say voice='x' language='de'>a</Say>", "<Say language=\"de\" voice=\"x\">a</Say>", &[]),
        ("<Pause></Pause>", "<Pause/>", &[]),
        (
            "<Gather action='/acme/ivr/voice/menu?hs=1.abc'/>",
            "<Gather action='/acme/ivr/voice/menu?hs=22.xyz'/>",
            &[],
        ),
        (
            "<Redirect>/acme/ivr/voice/a?x=1&amp;hs=1.abc</Redirect>",
            "<Redirect>/acme/ivr/voice/a?x=1&amp;hs=2.d</Redirect>",
            &[],
        ),
        // Words.
        ("<Say>a</Say>", "<Say>b</Say>", &[("text", "Say")]),
        ("<Say>a</Say><Say>b</Say>", "<Say>a</Say><Say>c</Say>", &[("text", "Say[2]")]),
        ("<Gather><Say>a</Say></Gather>", "<Gather><Say>b</Say></Gather>", &[("text", "Gather/Say")]),
        ("<Play>a.mp3</Play>", "<Play>b.mp3</Play>", &[("text", "Play")]),
        ("<Dial>+12025550123</Dial>", "<Dial>+12025550124</Dial>", &[("text", "Dial")]),
        ("<Dial><Number>1</Number></Dial>", "<Dial><Number>2</Number></Dial>", &[("text", "Dial/Number")]),
        ("<Say>a <break/> b</Say>", "<Say>a <break/> c</Say>", &[("text", "Say")]),
        // Verbs and nouns.
        ("<Say>a</Say>", "<Say>a</Say><Hangup/>", &[("verb-added", "Hangup")]),
        ("<Say>a</Say><Hangup/>", "<Say>a</Say>", &[("verb-removed", "Hangup")]),
        ("<Say>a</Say>", "<Play>a</Play>", &[("verb-removed", "Say"), ("verb-added", "Play")]),
        ("<Say>a</Say><Say>b</Say>", "<Say>x</Say><Say>a</Say><Say>b</Say>", &[("verb-added", "Say")]),
        ("<Say>a</Say><Say>b</Say>", "<Say>b</Say>", &[("verb-removed", "Say")]),
        ("<Dial/>", "<Dial><Number>1</Number></Dial>", &[("verb-added", "Dial/Number")]),
        ("<Say>a</Say><Dial>1</Dial>", "<Dial>1</Dial><Say>a</Say>", &[("verb-reordered", "Say")]),
        (
            "<Say>a</Say><Dial>1</Dial>",
            "<Dial>2</Dial><Say>a</Say>",
            &[("verb-reordered", "Dial"), ("text", "Dial")],
        ),
        ("<Say>a <break/> b</Say>", "<Say>a b <break/></Say>", &[("verb-reordered", "Say")]),
        ("<Pause/><Say>a</Say><Pause/>", "<Pause/><Pause/><Say>a</Say>", &[("verb-reordered", "Say")]),
        // Attributes.
        ("<Gather timeout='5'/>", "<Gather timeout='6'/>", &[("attribute", "Gather@timeout")]),
        ("<Gather/>", "<Gather timeout='6'/>", &[("attribute", "Gather@timeout")]),
        ("<Gather timeout='6'/>", "<Gather/>", &[("attribute", "Gather@timeout")]),
        (
            "<Gather timeout='5' numDigits='1'><Say>a</Say></Gather>",
            "<Gather timeout='6' numDigits='2'><Say>b</Say></Gather>",
            &[("attribute", "Gather@numDigits"), ("attribute", "Gather@timeout"), ("text", "Gather/Say")],
        ),
        // Links.
        (
            "<Gather action='/a/b/voice/menu?hs=1.x'/>",
            "<Gather action='/a/b/voice/other?hs=2.x'/>",
            &[("link", "Gather@action")],
        ),
        (
            "<Gather action='/a/b/voice/menu?hs=1.x'/>",
            "<Gather action='/a/b/voice/menu?l=de&amp;hs=2.x'/>",
            &[("link", "Gather@action")],
        ),
        ("<Redirect>a</Redirect>", "<Redirect>b</Redirect>", &[("link", "Redirect")]),
        (
            "<Dial><Number url='a'>1</Number></Dial>",
            "<Dial><Number>1</Number></Dial>",
            &[("link", "Dial/Number@url")],
        ),
        (
            "<Record recordingStatusCallback='a'/>",
            "<Record recordingStatusCallback='b'/>",
            &[("link", "Record@recordingStatusCallback")],
        ),
        // Not well-formed: as a whole.
        ("<Say>a</Say>", "<Say>a", &[("text", "")]),
    ];
    for (old, new, expected) in cases {
        let document = |inside: &str| format!("<Response>{inside}</Response>");
        let found = differences(&document(old), &document(new));
        let told: Vec<_> = found.iter().map(|one| (one.kind.as_str(), one.at.as_str())).collect();
        assert_eq!(told, *expected, "{old}  →  {new}");
    }
    assert!(cases.len() >= 25);
}

#[test]
fn both_lines_of_a_difference_are_shown() {
    let found = differences(
        "<Response><Gather action=\"/a/b/voice/menu?hs=1.x\"><Say>One.</Say></Gather></Response>",
        "<Response><Gather action=\"/a/b/voice/main?hs=2.x\"><Say>Two.</Say><Pause/></Gather></Response>",
    );
    let lines: Vec<_> = found.iter().map(|one| (one.old.as_str(), one.new.as_str())).collect();
    assert_eq!(
        lines,
        [
            ("<Gather action=\"menu\">", "<Gather action=\"main\">"),
            ("", "<Pause/>"),
            ("<Say>One.</Say>", "<Say>Two.</Say>"),
        ]
    );
}

#[test]
fn large_documents_are_compared_in_time() {
    let many = |words: &str| {
        let says: String = (0..2_000).map(|number| format!("<Say>{words} {number}</Say>")).collect();
        format!("<Response>{says}</Response>")
    };
    let found = differences(&many("old"), &many("new"));
    assert_eq!(found.len(), 2_000);
    assert!(found.iter().all(|one| one.kind == DifferenceKind::Text));
}

proptest::proptest! {
    #[test]
    fn a_document_never_differs_from_itself_and_always_from_another(
        verbs in proptest::collection::vec("[a-c]", 0..8), others in proptest::collection::vec("[a-c]", 0..8),
    ) {
        let document = |verbs: &[String]| {
            let inside: String = verbs.iter().map(|verb| format!("<Say>{verb}</Say>")).collect();
            format!("<Response>{inside}</Response>")
        };
        let (old, new) = (document(&verbs), document(&others));
        let same = [old.as_str(), " "].concat();
        proptest::prop_assert!(differences(&old, &same).is_empty());
        proptest::prop_assert_eq!(differences(&old, &new).is_empty(), verbs == others);
    }
}

#[test]
fn links_of_the_handler_are_where_a_call_can_go_on() {
    let document = "<Response><Gather action=\"/acme/ivr/voice/menu?hs=1.a\" statusCallback=\"/acme/ivr/status/x?hs=1.a#rc=2\">\
        <Say>/acme/ivr</Say></Gather><Play>https://example.com/acme/ivr/voice/x</Play><Dial action=\"/acme/other/voice/y\"/>\
        <Redirect> /acme/ivr/voice?lang=de&amp;hs=1.a </Redirect></Response>";
    let mut found: Vec<_> =
        places(document, "/acme/ivr").into_iter().map(|(entry, step)| (entry.as_str(), step)).collect();
    found.sort();
    assert_eq!(found, [("status", "x".to_owned()), ("voice", String::new()), ("voice", "menu".to_owned())]);
    assert!(places("<Response", "/acme/ivr").is_empty());
}

#[test]
fn a_call_is_followed_only_where_the_new_document_leads() {
    let set = |steps: &[&str]| -> HashSet<Place> {
        steps.iter().map(|step| (Entry::Voice, (*step).to_owned())).collect()
    };
    let led = |recorded: &[&str], reference: &[&str], fresh: &[&str]| Led {
        recorded: set(recorded),
        reference: set(reference),
        fresh: set(fresh),
    };
    let same = |steps: &[&str]| led(steps, steps, steps);
    let cases: Vec<(&str, Vec<Led>, &str, Followed)> = vec![
        ("the first", vec![], "", Followed::Yes),
        ("its link is there", vec![same(&["menu"])], "menu", Followed::Yes),
        ("its link is gone", vec![led(&["menu"], &["menu"], &["main"])], "menu", Followed::No { from: 0 }),
        ("nobody linked to it", vec![same(&["menu"])], "by-rest", Followed::Yes),
        ("it can't be told", vec![led(&["menu"], &[], &[])], "menu", Followed::Lost),
        ("the last that led there counts", vec![led(&["a"], &["a"], &[]), same(&["a"])], "a", Followed::Yes),
        (
            "an earlier one still leads there",
            vec![same(&["done", "wait"]), same(&["wait"])],
            "done",
            Followed::Yes,
        ),
        (
            "an earlier one no longer",
            vec![led(&["done"], &["done"], &[]), same(&["x"])],
            "done",
            Followed::No { from: 0 },
        ),
    ];
    for (name, before, step, expected) in cases {
        assert_eq!(reach(&before, Entry::Voice, step), expected, "{name}");
    }
}

#[test]
fn failing_and_no_longer_failing_are_kinds_of_their_own() {
    let heard = |code: Option<&str>, document: &str| Heard {
        document: document.to_owned(),
        failure: code.map(|code| (code.to_owned(), format!("{code}: why"))),
        asked: Some(Vec::new()),
    };
    let kinds = |old: &Heard, new: &Heard| between(old, new).iter().map(|one| one.kind).collect::<Vec<_>>();
    let (good, other) = (heard(None, "<Response/>"), heard(None, "<Response><Hangup/></Response>"));
    let (trap, failed) = (heard(Some("HS202"), "<Response/>"), heard(Some("HS209"), "<Response/>"));
    assert_eq!(kinds(&good, &good), []);
    assert_eq!(kinds(&good, &other), [DifferenceKind::VerbAdded]);
    assert_eq!(kinds(&good, &trap), [DifferenceKind::Fails]);
    assert_eq!(kinds(&trap, &good), [DifferenceKind::Works]);
    assert_eq!(kinds(&trap, &failed), [DifferenceKind::Fails]);
    assert_eq!(kinds(&trap, &trap), []);
    assert_eq!(between(&good, &trap)[0].new, "HS202: why");
}

#[test]
fn groups_count_webhooks_and_calls_and_keep_one_example() {
    let mut groups = Groups::default();
    let difference =
        |kind, at: &str, new: &str| Difference { kind, at: at.into(), old: String::new(), new: new.into() };
    for (call, kind, at) in [
        (0, DifferenceKind::Text, "Say"),
        (0, DifferenceKind::Text, "Say"),
        (1, DifferenceKind::Text, "Say"),
        (1, DifferenceKind::Fails, ""),
        (1, DifferenceKind::Text, "Play"),
    ] {
        groups.add(call, &format!("CA{call}"), "voice", difference(kind, at, &format!("new {call}")));
    }
    let (groups, more) = groups.finish();
    let told: Vec<_> = groups
        .iter()
        .map(|group| {
            (group.kind.as_str(), group.at.as_str(), group.count, group.calls, group.example.as_str())
        })
        .collect();
    assert_eq!(
        told,
        [("fails", "", 1, 1, "CA1"), ("text", "Say", 3, 2, "CA0"), ("text", "Play", 1, 1, "CA1")]
    );
    assert_eq!((groups[1].new.as_str(), more), ("new 0", 0));
    let report = ReplayReport { calls: 2, groups, ..ReplayReport::default() };
    assert!(!report.passes(&[DifferenceKind::Text]));
    assert!(report.passes(&[DifferenceKind::Text, DifferenceKind::Fails]));
}

#[test]
fn a_report_is_bounded() {
    let mut groups = Groups::default();
    for number in 0..1_000 {
        let difference = Difference {
            kind: DifferenceKind::Text,
            at: format!("Say[{number}]"),
            old: String::new(),
            new: String::new(),
        };
        groups.add(number, "CA1", "voice", difference);
    }
    let (groups, more) = groups.finish();
    assert_eq!((groups.len(), more), (100, 900));
    assert!(!ReplayReport { groups, more, ..ReplayReport::default() }.passes(&DifferenceKind::ALL));
}

#[test]
fn effects_that_are_new_and_that_are_gone_are_told_and_others_are_not() {
    let http = |target: &str| Request::new(Import::Http, "POST", target);
    let store = |operation: &'static str, key: &str| Request::new(Import::Store, operation, key);
    let message = Request::new(Import::Carrier, "message", "+12025550100");
    let (lead, note) = (http("https://crm.example.com/leads"), http("https://crm.example.com/notes?of=1"));
    type Told<'a> = Vec<(&'a str, &'a str, &'a str)>;
    let cases: Vec<(Vec<Request>, Vec<Request>, Told)> = vec![
        (vec![], vec![], vec![]),
        (vec![lead.clone(), note.clone()], vec![note.clone(), lead.clone()], vec![]),
        (vec![store("get", "a")], vec![store("keys", "")], vec![]),
        (
            vec![lead.clone()],
            vec![lead.clone(), lead.clone()],
            vec![("POST https://crm.example.com", "", "would also do: POST https://crm.example.com/leads")],
        ),
        (
            vec![message.clone(), store("set", "a")],
            vec![store("delete", "a"), note],
            vec![
                ("store delete", "", "would also do: store delete: a"),
                (
                    "POST https://crm.example.com",
                    "",
                    "would also do: POST https://crm.example.com/notes?of=1",
                ),
                ("message", "message: +12025550100", "no longer does"),
                ("store set", "store set: a", "no longer does"),
            ],
        ),
    ];
    for (old, new, expected) in cases {
        let found = effects::differences(&old, &new);
        let told: Vec<_> =
            found.iter().map(|one| (one.at.as_str(), one.old.as_str(), one.new.as_str())).collect();
        assert_eq!(told, expected);
        assert!(found.iter().all(|one| one.kind == DifferenceKind::Effects));
    }
    let heard = |code: Option<&str>, asked: Option<Vec<Request>>| Heard {
        document: "<Response/>".to_owned(),
        failure: code.map(|code| (code.to_owned(), code.to_owned())),
        asked,
    };
    let whole = |asked: &[&Request]| Some(asked.iter().map(|one| (*one).clone()).collect());
    let count = |old: Heard, new: Heard| between(&old, &new).len();
    assert_eq!(count(heard(None, whole(&[&lead])), heard(None, whole(&[]))), 1);
    assert_eq!(count(heard(None, None), heard(None, whole(&[&lead]))), 0, "not all of it is known");
    let failed = between(&heard(None, whole(&[&lead])), &heard(Some("HS202"), whole(&[])));
    assert_eq!(failed.len(), 1, "what a failure keeps it from is told by the failure");
    assert_eq!(failed[0].kind, DifferenceKind::Fails);
}
