use std::net::SocketAddr;

use super::super::address::{Exception, check, is_in_the_open};

fn at(ip: &str) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap(), 443)
}

#[test]
fn only_addresses_of_the_open_internet_are_connected_to() {
    let cases: &[(&str, &str)] = &[
        // IPv4
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("10.0.0.1", "private"),
        ("10.255.255.255", "private"),
        ("100.64.0.1", "shared"),
        ("100.127.255.255", "shared"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("169.254.0.1", "link-local"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.0.0.8", "reserved"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "reserved"),
        ("192.168.1.1", "private"),
        ("198.18.0.1", "benchmarks"),
        ("198.19.255.255", "benchmarks"),
        ("198.51.100.7", "documentation"),
        ("203.0.113.7", "documentation"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.250", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        // Metadata
        ("169.254.169.254", "credentials"),
        ("169.254.170.2", "credentials"),
        ("100.100.100.200", "credentials"),
        ("168.63.129.16", "credentials"),
        ("192.0.0.192", "credentials"),
        ("fd00:ec2::254", "credentials"),
        ("fd20:ce::254", "credentials"),
        // IPv6
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::2", "unspecified"),
        ("fc00::1", "private"),
        ("fd12:3456::1", "private"),
        ("fe80::1", "link-local"),
        ("febf::1", "link-local"),
        ("fec0::1", "site-local"),
        ("ff02::1", "multicast"),
        ("ff0e::1", "multicast"),
        ("100::1", "reserved"),
        ("2001::1", "reserved"),
        ("2001:0:1234::1", "reserved"),
        ("2001:10::1", "reserved"),
        ("2001:20::1", "reserved"),
        ("2001:db8::1", "documentation"),
        ("3fff::1", "documentation"),
        ("4000::1", "reserved"),
        ("5f00::1", "reserved"),
        // IPv4 in other clothes
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:10.0.0.1", "private"),
        ("::ffff:169.254.169.254", "credentials"),
        ("::ffff:a9fe:a9fe", "credentials"),
        ("::127.0.0.1", "loopback"),
        ("::8.8.8.8", "reserved"),
        ("::ffff:0:127.0.0.1", "loopback"),
        ("64:ff9b::127.0.0.1", "loopback"),
        ("64:ff9b::10.1.2.3", "private"),
        ("64:ff9b::a9fe:a9fe", "credentials"),
        ("64:ff9b:1::8.8.8.8", "translated"),
        ("2002:7f00:1::", "loopback"),
        ("2002:a00:1::1", "private"),
        ("2002:a9fe:a9fe::1", "credentials"),
        ("2002:c0a8:101::1", "private"),
        ("2a00:1450::5efe:10.0.0.1", "private"),
        ("2a00:1450::200:5efe:169.254.169.254", "credentials"),
        // The open internet
        ("1.1.1.1", ""),
        ("8.8.8.8", ""),
        ("9.255.255.255", ""),
        ("11.0.0.0", ""),
        ("100.63.255.255", ""),
        ("100.128.0.0", ""),
        ("128.0.0.1", ""),
        ("169.253.255.255", ""),
        ("172.15.255.255", ""),
        ("172.32.0.0", ""),
        ("192.167.255.255", ""),
        ("198.17.255.255", ""),
        ("198.20.0.0", ""),
        ("223.255.255.255", ""),
        ("::ffff:1.1.1.1", ""),
        ("64:ff9b::8.8.8.8", ""),
        ("2002:808:808::1", ""),
        ("2001:200::1", ""),
        ("2606:4700:4700::1111", ""),
        ("2a00:1450:4001::200e", ""),
    ];
    for (address, word) in cases {
        match (check(at(address), &[]), word.is_empty()) {
            (Ok(()), open) => assert!(open, "{address} is let through"),
            (Err(why), open) => assert!(!open && why.0.contains(word), "{address}: {}", why.0),
        }
    }
}

#[test]
fn the_operator_makes_exceptions_by_address_network_and_port() {
    let cases: &[(&str, &str, u16, bool)] = &[
        ("127.0.0.1:9000", "127.0.0.1", 9000, true),
        ("127.0.0.1:9000", "127.0.0.1", 9001, false),
        ("127.0.0.1:9000", "127.0.0.2", 9000, false),
        ("127.0.0.1:9000", "::ffff:127.0.0.1", 9000, true),
        ("127.0.0.1", "127.0.0.1", 1, true),
        ("10.1.0.0/16", "10.1.255.1", 80, true),
        ("10.1.0.0/16", "10.2.0.1", 80, false),
        ("10.1.0.0/16:8080", "10.1.2.3", 8080, true),
        ("10.1.0.0/16:8080", "10.1.2.3", 80, false),
        ("[::1]:9000", "::1", 9000, true),
        ("::1", "::1", 9000, true),
        ("fd00:1::/64", "fd00:1::5", 443, true),
        ("fd00:1::/64", "fd00:2::5", 443, false),
        // What hands out the machine's credentials has to be named itself.
        ("169.254.0.0/16", "169.254.169.254", 80, false),
        ("169.254.0.0/16", "169.254.1.1", 80, true),
        ("0.0.0.0/0", "169.254.169.254", 80, false),
        ("169.254.169.254", "169.254.169.254", 80, true),
    ];
    for (exception, address, port, allowed) in cases {
        let exceptions = [exception.parse::<Exception>().unwrap()];
        let address = SocketAddr::new(address.parse().unwrap(), *port);
        assert_eq!(check(address, &exceptions).is_ok(), *allowed, "{exception}: {address}");
        assert_eq!(exceptions[0].to_string().parse::<Exception>().unwrap(), exceptions[0], "{exception}");
    }
    for text in
        ["", "localhost", "localhost:80", "127.0.0.1:0", "127.0.0.1:70000", "[127.0.0.1]:80", "10.0.0.0/33"]
    {
        let error = text.parse::<Exception>().expect_err(text);
        assert!(error.to_string().contains("expected an address or a network"), "{error}");
    }
}

#[test]
fn an_origin_is_in_the_open_unless_its_host_is_an_address_that_is_not() {
    for (origin, open) in [
        ("https://calls.example.com", true),
        ("http://8.8.8.8:8080", true),
        ("http://[2606:4700::1111]", true),
        ("http://127.0.0.1:8080", false),
        ("http://0.0.0.0:8080", false),
        ("http://192.168.1.4", false),
        ("http://[::1]:8080", false),
        ("http://[::ffff:10.0.0.1]", false),
        ("http://localhost:8080", false),
        ("http://desk.localhost", false),
        ("", false),
    ] {
        assert_eq!(is_in_the_open(origin), open, "{origin}");
    }
}
