use super::*;

fn policy(address: &str, port: &str, grants: &str, hub: &[&str]) -> NetworkPolicy {
    let own = OwnTarget {
        address: address.to_owned(),
        port: port.to_owned(),
    };
    let hub = hub.iter().map(|addr| addr.parse().unwrap()).collect();
    NetworkPolicy::new(&own, toml::from_str(grants).unwrap(), hub)
}

fn check(policy: &NetworkPolicy, host: &str, addr: &str) -> Result<(), String> {
    let checked = policy.check(host, addr.parse().unwrap());
    checked.map_err(|denied| denied.grant)
}

const EVERYTHING: &str = "network = [\"*:*\", \"0.0.0.0/0:*\", \"[::/0]:*\"]";

#[test]
fn the_own_address_and_port_need_no_grant() {
    let typed = policy("192.168.1.9", "8080", "", &[]);
    assert_eq!(check(&typed, "192.168.1.9", "192.168.1.9:8080"), Ok(()));
    assert_eq!(check(&typed, "device.lan", "192.168.1.9:8080"), Ok(()));
    let named = policy("Device.lan", "80", "", &[]);
    assert_eq!(check(&named, "device.LAN", "10.0.0.7:80"), Ok(()));
    let here = policy("127.0.0.1", "8080", "", &["0.0.0.0:9090"]);
    assert_eq!(check(&here, "localhost", "127.0.0.1:8080"), Ok(()));
    let localhost = policy("localhost", "81", "", &[]);
    assert_eq!(check(&localhost, "localhost", "[::1]:81"), Ok(()));
}

#[test]
fn an_own_address_without_port_means_the_web_ports() {
    for port in ["", "0"] {
        let typed = policy("192.168.1.9", port, "", &[]);
        assert_eq!(check(&typed, "", "192.168.1.9:80"), Ok(()));
        assert_eq!(check(&typed, "", "192.168.1.9:443"), Ok(()));
        assert!(check(&typed, "", "192.168.1.9:22").is_err());
    }
}

#[test]
fn an_own_address_may_be_a_url_or_a_list() {
    let typed = policy(
        "http://user@device.lan:8123/api, 10.0.0.2; [fd00::1]:90",
        "",
        "",
        &[],
    );
    assert_eq!(check(&typed, "device.lan", "10.0.0.1:8123"), Ok(()));
    assert_eq!(check(&typed, "10.0.0.2", "10.0.0.2:80"), Ok(()));
    assert_eq!(check(&typed, "fd00::1", "[fd00::1]:90"), Ok(()));
    assert!(check(&typed, "device.lan", "10.0.0.1:80").is_err());
}

#[test]
fn it_refuses_another_port_of_the_own_address() {
    let typed = policy("192.168.1.9", "80", "", &[]);
    let line = "network = [\"192.168.1.9:443\"]".to_owned();
    assert_eq!(check(&typed, "192.168.1.9", "192.168.1.9:443"), Err(line));
}

#[test]
fn it_refuses_a_target_that_nobody_named() {
    let none = policy("", "", "", &[]);
    assert_eq!(
        check(&none, "Device.lan", "10.0.0.7:80"),
        Err("network = [\"device.lan:80\"]".to_owned())
    );
    assert_eq!(
        check(&none, "fd00::5", "[fd00::5]:80"),
        Err("network = [\"[fd00::5]:80\"]".to_owned())
    );
}

#[test]
fn the_line_of_a_refusal_allows_what_was_refused() {
    let hub = ["127.0.0.1:8080"];
    let targets = [
        ("device.lan", "10.0.0.7:80"),
        ("x", "127.0.0.1:8080"),
        ("x", "[::1]:80"),
        ("localhost", "127.0.0.1:5"),
        ("x", "[::ffff:127.0.0.1]:80"),
        ("bad\"name\n", "10.0.0.7:80"),
        ("x", "169.254.169.254:80"),
        ("x", "[fe80::1]:80"),
    ];
    for (host, addr) in targets {
        let line = check(&policy("", "", "", &hub), host, addr).unwrap_err();
        assert_eq!(
            check(&policy("", "", &line, &hub), host, addr),
            Ok(()),
            "{line}"
        );
    }
    let line = policy("", "", "", &[]).check_listen(81).unwrap_err().grant;
    assert_eq!(policy("", "", &line, &[]).check_listen(81), Ok(()));
}

#[test]
fn it_refuses_loopback_under_a_wildcard() {
    let wide = policy("", "", EVERYTHING, &[]);
    for addr in [
        "127.0.0.1:80",
        "127.9.9.9:80",
        "[::1]:80",
        "[::ffff:127.0.0.1]:80",
    ] {
        assert!(check(&wide, "x", addr).is_err(), "{addr}");
    }
    assert_eq!(check(&wide, "x", "10.0.0.1:80"), Ok(()));
}

#[test]
fn it_refuses_link_local_and_metadata_under_a_wildcard() {
    let wide = policy("", "", EVERYTHING, &[]);
    let addrs = [
        "169.254.1.1:80",
        "169.254.169.254:80",
        "[fe80::1]:80",
        "[fd00:ec2::254]:80",
        "100.100.100.200:80",
        "168.63.129.16:80",
        "192.0.0.192:80",
        "[64:ff9b::a9fe:a9fe]:80",
    ];
    for addr in addrs {
        assert!(check(&wide, "x", addr).is_err(), "{addr}");
    }
}

#[test]
fn it_refuses_the_unspecified_address_under_a_wildcard() {
    let wide = policy("", "", EVERYTHING, &[]);
    for addr in ["0.0.0.0:80", "0.1.2.3:80", "[::]:80"] {
        assert!(check(&wide, "x", addr).is_err(), "{addr}");
    }
}

#[test]
fn it_refuses_a_granted_name_that_resolves_to_this_machine() {
    let named = policy("own.lan", "80", "network = [\"device.lan:80\"]", &[]);
    for host in ["device.lan", "own.lan"] {
        assert_eq!(check(&named, host, "10.0.0.1:80"), Ok(()));
        let line = "network = [\"127.0.0.1:80\"]".to_owned();
        assert_eq!(check(&named, host, "127.0.0.1:80"), Err(line));
        assert!(check(&named, host, "169.254.169.254:80").is_err());
    }
}

#[test]
fn it_refuses_a_name_called_localhost_that_leads_elsewhere() {
    let named = policy("", "", "network = [\"localhost:80\"]", &[]);
    assert_eq!(check(&named, "localhost", "127.0.0.1:80"), Ok(()));
    assert!(check(&named, "localhost", "169.254.169.254:80").is_err());
    assert!(check(&named, "evil.lan", "127.0.0.1:80").is_err());
}

#[test]
fn it_refuses_the_hubs_listeners_unless_named_with_their_port() {
    let hub = ["0.0.0.0:8080", "10.1.1.1:9090"];
    for grants in [
        EVERYTHING,
        "network = [\"127.0.0.1:*\", \"10.1.1.1:9000-9100\"]",
    ] {
        let wide = policy("", "", grants, &hub);
        assert!(check(&wide, "x", "127.0.0.1:8080").is_err());
        assert!(check(&wide, "x", "10.1.1.1:9090").is_err());
    }
    let named = policy("", "", "network = [\"127.0.0.1:8080\"]", &hub);
    assert_eq!(check(&named, "x", "127.0.0.1:8080"), Ok(()));
    // The port elsewhere is somebody else's.
    assert_eq!(
        check(&policy("", "", EVERYTHING, &hub), "x", "192.0.2.1:8080"),
        Ok(())
    );
}

#[test]
fn an_own_address_that_leads_to_the_hub_is_the_hub() {
    let line = "network = [\"127.0.0.1:8080\"]".to_owned();
    for hub in [
        "127.0.0.1:8080",
        "0.0.0.0:8080",
        "[::]:8080",
        "[::ffff:127.0.0.1]:8080",
    ] {
        for address in [
            "127.0.0.1",
            "localhost",
            "device.example",
            "http://device.example:8080/",
        ] {
            let typed = policy(
                address,
                "8080",
                "network = [\"*:*\", \"localhost:8080\"]",
                &[hub],
            );
            for target in [
                "127.0.0.1:8080",
                "[::ffff:127.0.0.1]:8080",
                "[64:ff9b::7f00:1]:8080",
            ] {
                let host = address
                    .trim_start_matches("http://")
                    .trim_end_matches(":8080/");
                assert_eq!(
                    check(&typed, host, target),
                    Err(line.clone()),
                    "{hub} {address}"
                );
            }
        }
    }
    // Every address of this machine, whichever a name leads to.
    for target in ["127.9.9.9:8080", "[::1]:8080", "0.0.0.0:8080", "[::]:8080"] {
        for hub in ["0.0.0.0:8080", "[::]:8080"] {
            let typed = policy("device.example", "8080", EVERYTHING, &[hub]);
            assert!(
                check(&typed, "device.example", target).is_err(),
                "{hub} {target}"
            );
        }
    }
    let typed = policy("device.example", "8080", "", &["0.0.0.0:8080"]);
    assert_eq!(check(&typed, "device.example", "192.0.2.1:8080"), Ok(()));
}

#[test]
fn the_port_of_a_device_is_none_to_listen_on() {
    for address in ["", "127.0.0.1", "localhost", "0.0.0.0"] {
        assert_eq!(
            policy(address, "8085", "", &[]).check_listen(8085),
            Ok(()),
            "{address}"
        );
    }
    for address in ["192.0.2.1", "device.example", "127.0.0.1, device.example"] {
        let denied = policy(address, "8085", "", &[]).check_listen(8085);
        assert_eq!(denied.unwrap_err().grant, "listen = [8085]", "{address}");
    }
    let granted = policy("device.example", "8085", "listen = [8085]", &[]);
    assert_eq!(granted.check_listen(8085), Ok(()));
}

#[test]
fn it_refuses_to_listen_on_a_port_that_nobody_named() {
    let own = policy(
        "",
        "8085",
        "listen = [8080, \"9000-9010\"]",
        &["0.0.0.0:9001"],
    );
    for port in [8080, 8085, 9000, 9010] {
        assert_eq!(own.check_listen(port), Ok(()), "{port}");
    }
    for port in [0, 80, 9001, 9011] {
        let denied = own.check_listen(port).unwrap_err();
        assert_eq!(denied.grant, format!("listen = [{port}]"));
    }
}

#[test]
fn it_refuses_with_a_sentence_that_names_the_target_and_no_foreign_text() {
    let none = policy("", "", "", &[]);
    let denied = none
        .check("a\"]\nb", "10.0.0.7:80".parse().unwrap())
        .unwrap_err();
    assert_eq!(denied.what, "connection to 10.0.0.7:80");
    let denied = none.check("metadata.lan", "169.254.169.254:80".parse().unwrap());
    assert_eq!(
        denied.unwrap_err().what,
        "connection to 169.254.169.254:80 (metadata.lan), which is a cloud metadata service"
    );
}
