use url::Url;

use super::super::allow::{AllowList, ENTRIES_MAX, Entry, check};

#[test]
fn an_entry_means_scheme_host_port_and_the_beginning_of_a_path() {
    let cases: &[(&str, &str, bool)] = &[
        ("https://api.example.com", "https://api.example.com/", true),
        ("https://api.example.com", "https://api.example.com/any/where?x=1", true),
        ("https://api.example.com", "https://API.Example.COM/", true),
        ("https://api.example.com", "https://api.example.com:443/", true),
        ("https://api.example.com", "https://api.example.com:8443/", false),
        ("https://api.example.com", "http://api.example.com/", false),
        ("https://api.example.com", "http://api.example.com:443/", false),
        ("https://api.example.com", "https://example.com/", false),
        ("https://api.example.com", "https://evil-api.example.com/", false),
        ("https://api.example.com", "https://api.example.com.evil.test/", false),
        ("https://api.example.com", "https://api.example.com./", false),
        ("https://api.example.com", "https://evil.test/https://api.example.com", false),
        ("https://api.example.com", "https://evil.test/?u=api.example.com", false),
        ("https://api.example.com:8443", "https://api.example.com:8443/x", true),
        ("https://api.example.com:8443", "https://api.example.com/x", false),
        ("http://localhost:3000", "http://localhost:3000/", true),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/", true),
        ("http://127.0.0.1:9000", "http://0x7f000001:9000/", true),
        ("http://127.0.0.1:9000", "http://2130706433:9000/", true),
        ("http://127.0.0.1:9000", "http://[::ffff:127.0.0.1]:9000/", false),
        ("http://[::1]:9000", "http://[0:0:0:0:0:0:0:1]:9000/", true),
        ("https://*.example.com", "https://a.example.com/", true),
        ("https://*.example.com", "https://a.b.example.com/", true),
        ("https://*.example.com", "https://example.com/", false),
        ("https://*.example.com", "https://aexample.com/", false),
        ("https://*.example.com", "https://a.example.com.evil.test/", false),
        ("https://bücher.example", "https://xn--bcher-kva.example/", true),
        ("https://api.example.com/v1", "https://api.example.com/v1", true),
        ("https://api.example.com/v1", "https://api.example.com/v1/leads?x=/v2", true),
        ("https://api.example.com/v1", "https://api.example.com/v10", false),
        ("https://api.example.com/v1", "https://api.example.com/", false),
        ("https://api.example.com/v1", "https://api.example.com/v1/../admin", false),
        ("https://api.example.com/v1", "https://api.example.com/v1/%2e%2e/admin", false),
        ("https://api.example.com/v1", "https://api.example.com/v1/.%2E/admin", false),
        ("https://api.example.com/v1", "https://api.example.com/v1/..%2fadmin", false),
        ("https://api.example.com/v1", "https://api.example.com/v1/..%5Cadmin", false),
        ("https://api.example.com/v1", "https://api.example.com/v1/%252e%252e/admin", false),
        ("https://api.example.com/v1", "https://api.example.com/x/../v1/y", true),
        ("https://api.example.com/v1", "https://api.example.com\\v1\\y", true),
        ("https://api.example.com/v1", "https://api.example.com/V1", false),
        ("https://api.example.com/v1/", "https://api.example.com/v1/x", true),
        ("https://api.example.com/v1/", "https://api.example.com/v1", false),
    ];
    for (entry, url, permitted) in cases {
        let list = AllowList::of_checked(&[(*entry).to_owned()]);
        assert_eq!(list.permits(&Url::parse(url).unwrap()), *permitted, "{entry}: {url}");
        let parsed: Entry = entry.parse().unwrap();
        assert_eq!(parsed.to_string().parse::<Entry>().unwrap(), parsed, "{entry}");
    }
    assert!(!AllowList::default().permits(&Url::parse("https://api.example.com/").unwrap()));
}

#[test]
fn what_an_entry_cannot_mean_is_refused_with_what_to_write() {
    let cases: &[(&str, &str)] = &[
        ("api.example.com", "not a URL"),
        ("", "not a URL"),
        ("ftp://a.example", "scheme that handlers cannot call"),
        ("file:///etc/passwd", "scheme that handlers cannot call"),
        ("https://", "not a URL"),
        ("https://u:p@a.example", "user name or password"),
        ("https://a.example/?x", "query or a fragment"),
        ("https://a.example/#x", "query or a fragment"),
        ("https://a.example/v1/*", "wildcard in its path"),
        ("https://a.example/a%2fb", "escaped slash"),
        ("https://a.example:0", "port 0"),
        ("https://a.example:22", "port 22, which is another protocol's"),
        ("http://a.example:25", "port 25"),
        ("http://a.example:6379", "port 6379"),
        ("https://a.example:65536", "not a URL"),
        ("https://*", "wildcard"),
        ("https://*.com", "whole top-level domain"),
        ("https://*a.example.com", "not the whole first part"),
        ("https://a.*.example.com", "not the whole first part"),
        ("https://*.*.example.com", "not the whole first part"),
        ("https://a.example.", "ends with a dot"),
    ];
    for (entry, why) in cases {
        let error = entry.parse::<Entry>().expect_err(entry).to_string();
        assert!(error.contains(why) && error.contains("write `https://host`"), "{entry}: {error}");
    }
    let many: Vec<String> = (0..=ENTRIES_MAX).map(|number| format!("https://a{number}.example")).collect();
    assert!(check(&many[1..]).is_ok());
    assert!(check(&many).unwrap_err().contains("65 entries, at most 64"));
}
