use crate::twiml::{Document, Gather, Message, Raw, Reply, Say};

/// A start in the sequence below; printed by a failing case as its number in it.
const SEED: u64 = 0x9E37_79B9_7F4A_7C15;

/// Numbers without a pattern that matters here, the same in each run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A text of the characters that are likely to go wrong, and of any others.
    fn text(&mut self) -> String {
        const LIKELY: &str = "&<>\"'\r\n\t \u{0}\u{1}\u{B}\u{1F}\u{7F}\u{85}\u{FFFD}\u{FFFE}\u{FFFF}\
                              \u{EFFF}\u{F000}\u{2028}\u{10FFFF}]];amp#é😀=";
        let likely: Vec<char> = LIKELY.chars().collect();
        (0..self.next() % 24)
            .map(|_| match self.next() % 4 {
                0 => char::from_u32((self.next() % 0x11_0000) as u32).unwrap_or('x'),
                _ => likely[(self.next() % likely.len() as u64) as usize],
            })
            .collect()
    }
}

/// What XML 1.0 lets into a document, by its production `Char`.
fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// What a reader makes of escaped text, after the changes that XML 1.0 has it make to line ends
/// everywhere and to blanks in attributes.
fn read(written: &str, is_attribute: bool) -> String {
    let mut seen = written.replace("\r\n", "\n").replace('\r', "\n");
    if is_attribute {
        seen = seen.replace(['\n', '\t'], " ");
    }
    let mut out = String::new();
    let mut rest = seen.as_str();
    while let Some((plain, reference)) = rest.split_once('&') {
        let (name, behind) = reference.split_once(';').expect("a reference ends");
        out.push_str(plain);
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#9" => '\t',
            "#10" => '\n',
            "#13" => '\r',
            other => panic!("&{other}; is not of our making"),
        });
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[test]
fn special_characters_are_written_so_that_they_survive() {
    let cases = [
        ("plain", "plain", "plain"),
        ("a & b", "a &amp; b", "a &amp; b"),
        ("&amp;", "&amp;amp;", "&amp;amp;"),
        ("1 < 2 > 0", "1 &lt; 2 &gt; 0", "1 &lt; 2 &gt; 0"),
        ("]]>", "]]&gt;", "]]&gt;"),
        ("say \"it's\"", "say \"it's\"", "say &quot;it's&quot;"),
        ("a\nb\tc", "a\nb\tc", "a&#10;b&#9;c"),
        ("a\r\nb", "a&#13;\nb", "a&#13;&#10;b"),
        ("a\u{0}b\u{1F}c", "abc", "abc"),
        ("\u{FFFE}a\u{FFFF}", "a", "a"),
        ("\u{FFFD}\u{FEFF}\u{FFBE}", "\u{FFFD}\u{FEFF}\u{FFBE}", "\u{FFFD}\u{FEFF}\u{FFBE}"),
        ("\u{7F}\u{85}", "\u{7F}\u{85}", "\u{7F}\u{85}"),
        ("Grüße 😀", "Grüße 😀", "Grüße 😀"),
        ("", "", ""),
    ];
    for (text, in_text, in_attribute) in cases {
        assert_eq!(Say::new(text).to_string(), format!("<Say>{in_text}</Say>"), "{text:?}");
        assert_eq!(
            Gather::new().hints(text).to_string(),
            format!("<Gather hints=\"{in_attribute}\"/>"),
            "{text:?}"
        );
    }
}

#[test]
fn any_text_survives_except_what_xml_cannot_hold() {
    let mut numbers = Numbers(SEED);
    for case in 0..20_000 {
        let text = numbers.text();
        let kept: String = text.chars().filter(|&c| is_xml_char(c)).collect();

        let say = Say::new(&text).to_string();
        let inner = say.strip_prefix("<Say>").and_then(|rest| rest.strip_suffix("</Say>"));
        let inner = inner.expect("the tags stay what they are");
        assert!(!inner.contains('<'), "case {case}: {text:?}");
        assert!(inner.chars().all(is_xml_char), "case {case}: {text:?}");
        assert_eq!(read(inner, false), kept, "case {case}: {text:?}");

        let gather = Gather::new().hints(&text).to_string();
        let value = gather.strip_prefix("<Gather hints=\"").and_then(|r| r.strip_suffix("\"/>"));
        let value = value.expect("the quotes stay what they are");
        assert!(!value.contains(['<', '"']), "case {case}: {text:?}");
        assert!(value.chars().all(is_xml_char), "case {case}: {text:?}");
        assert_eq!(read(value, true), kept, "case {case}: {text:?}");
    }
}

#[test]
fn setters_and_children_come_in_any_order() {
    let cases = [
        (Gather::new().say("a").timeout(5), "<Gather timeout=\"5\"><Say>a</Say></Gather>"),
        (
            Gather::digits(1).say("a").action("b").hints("c").play("d"),
            "<Gather numDigits=\"1\" action=\"b\" hints=\"c\"><Say>a</Say><Play>d</Play></Gather>",
        ),
        (Gather::digits(1).num_digits(2), "<Gather numDigits=\"2\"/>"),
        (
            Gather::digits(1).action("a").say("b").num_digits(22),
            "<Gather action=\"a\" numDigits=\"22\"><Say>b</Say></Gather>",
        ),
        (
            Gather::new().hints(" action=").action("a").action("b"),
            "<Gather hints=\" action=\" action=\"b\"/>",
        ),
        (
            Gather::new().hints(" action=\"x\"").action("a").action("b"),
            "<Gather hints=\" action=&quot;x&quot;\" action=\"b\"/>",
        ),
    ];
    for (gather, expected) in cases {
        assert_eq!(gather.to_string(), expected);
    }
}

#[test]
fn attributes_outside_the_grammar_need_a_name_that_xml_takes() {
    let cases = [
        ("newThing", "<Say newThing=\"&lt;1&gt;\"/>"),
        ("data-x.y_1", "<Say data-x.y_1=\"&lt;1&gt;\"/>"),
        ("xml:lang", "<Say xml:lang=\"&lt;1&gt;\"/>"),
        ("", "<Say/>"),
        ("1st", "<Say/>"),
        ("-x", "<Say/>"),
        ("a b", "<Say/>"),
        ("a=\"b\" c", "<Say/>"),
        ("a>", "<Say/>"),
        ("other:x", "<Say/>"),
        ("xml:", "<Say/>"),
        ("é", "<Say/>"),
    ];
    for (name, expected) in cases {
        assert_eq!(Say::default().attribute(name, "<1>").to_string(), expected, "{name:?}");
    }
}

#[test]
fn an_attribute_is_there_once_however_it_was_set() {
    let cases = [
        Say::default().loop_(1).attribute("loop", "2"),
        Say::default().attribute("loop", "1").loop_(2),
        Say::default().attribute("loop", "1").attribute("loop", "2"),
        Say::default().attribute("loop", "1").attribute("x", "").loop_(2).attribute("x", "y"),
    ];
    let expected =
        ["<Say loop=\"2\"/>", "<Say loop=\"2\"/>", "<Say loop=\"2\"/>", "<Say loop=\"2\" x=\"y\"/>"];
    for (say, expected) in cases.iter().zip(expected) {
        assert_eq!(say.to_string(), expected);
    }
}

#[test]
fn raw_markup_is_passed_on() {
    let inside = "<Response><Say>a</Say><New x=\"1\"/><Say>b</Say></Response>";
    let expected = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{inside}");
    let cases = [
        Document::new().say("a").child(Raw("<New x=\"1\"/>")).say("b"),
        Document::raw("<Say>a</Say><New x=\"1\"/>").say("b"),
        Document::raw("<Response><Say>a</Say><New x=\"1\"/></Response>").say("b"),
        Document::raw(&expected),
        Document::raw(format!("\n{}\n", expected.replace("?>", "?>\n"))),
    ];
    for document in cases {
        assert_eq!(document.into_string(), expected);
    }
    let gather = Gather::new().child(Raw("<New/>")).to_string();
    assert_eq!(gather, "<Gather><New/></Gather>");
    for empty in ["<Response/>", "<?xml version=\"1.0\"?> <Response />", "<Response></Response>"] {
        let document = Document::raw(empty).say("a").into_string();
        assert!(document.ends_with("<Response><Say>a</Say></Response>"), "{document}");
    }
}

#[test]
fn documents_are_text_at_the_end() {
    let start = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    assert_eq!(Document::new().into_string(), format!("{start}<Response/>"));
    assert_eq!(Reply::new().to_string(), format!("{start}<Response/>"));
    let reply = Reply::new().message("Hi").message(Message::default().body("See").media("cat.png"));
    assert_eq!(
        String::from(reply),
        format!(
            "{start}<Response><Message>Hi</Message>\
             <Message><Body>See</Body><Media>cat.png</Media></Message></Response>"
        )
    );
}

#[test]
fn equal_elements_are_those_written_equally() {
    assert_eq!(Document::new().say("a"), Document::new().say(Say::new("a")));
    assert_ne!(Document::new().say("a"), Document::new().say("b"));
    assert_eq!(format!("{:?}", Say::new("a")), "<Say>a</Say>");
}
