//! Users, passwords in their forms, and networks that need none.

use super::*;

const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn admit(
    access: &Access,
    peer: IpAddr,
    headers: &HeaderMap,
    query: &Query,
) -> Result<Caller, Refusal> {
    access.admit(access.client(peer, headers), headers, Some(query))
}

fn access(text: &str) -> Access {
    Access::new(&toml::from_str(text).unwrap(), "here")
}

fn users() -> Access {
    access("users = [{ name = \"ann\", password = \"p:w\", rights = \"user\" }]")
}

fn header(text: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let coded = format!("Basic {}", BASE64_STANDARD.encode(text));
    headers.insert(header::AUTHORIZATION, coded.parse().unwrap());
    headers
}

fn far() -> IpAddr {
    "192.168.1.9".parse().unwrap()
}

#[test]
fn without_configuration_only_this_machine_may() {
    let access = access("");
    let none = (HeaderMap::new(), Query::default());
    assert_eq!(admit(&access, HOME, &none.0, &none.1), Ok(local()));
    let mapped: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
    assert_eq!(admit(&access, mapped, &none.0, &none.1), Ok(local()));
    assert_eq!(
        admit(&access, far(), &none.0, &none.1),
        Err(Refusal::Missing)
    );
    // Clients that always send a user work where none is asked for.
    assert_eq!(admit(&access, HOME, &header("a:b"), &none.1), Ok(local()));
    for _ in 0..2 * crate::throttle::FAILURES {
        assert_eq!(admit(&access, HOME, &header("a:b"), &none.1), Ok(local()));
        let far = admit(&access, far(), &header("a:b"), &none.1);
        assert_eq!(far, Err(Refusal::Missing));
    }
    let mut passed_on = HeaderMap::new();
    passed_on.insert("x-forwarded-for", "10.0.0.1".parse().unwrap());
    assert_eq!(
        admit(&access, HOME, &passed_on, &none.1),
        Err(Refusal::Missing)
    );
}

#[test]
fn a_user_has_a_password_in_any_of_the_forms() {
    let access = users();
    let none = Query::default();
    let ann = Caller {
        name: "ann".to_owned(),
        rights: Rights::User,
    };
    assert_eq!(
        admit(&access, far(), &header("ann:p:w"), &none),
        Ok(ann.clone())
    );
    assert_eq!(
        admit(&access, far(), &header("ann:x"), &none),
        Err(Refusal::Wrong)
    );
    let query = |password: &str| {
        let name = BASE64_STANDARD.encode("ann");
        Query::of(&[("username", &name), ("password", password)])
    };
    let headers = HeaderMap::new();
    for password in [BASE64_STANDARD.encode("p:w"), md5_hex("p:w")] {
        assert_eq!(
            admit(&access, far(), &headers, &query(&password)),
            Ok(ann.clone())
        );
    }
    let wrong = query(&BASE64_STANDARD.encode("p"));
    assert_eq!(admit(&access, far(), &headers, &wrong), Err(Refusal::Wrong));
    // Encoded again, by a client and its library.
    let percent = |text: &str| text.replace('=', "%3D");
    let twice = |text: &str| BASE64_STANDARD.encode(BASE64_STANDARD.encode(text));
    let name = BASE64_STANDARD.encode("ann").replace('=', "%3D");
    for (name, password) in [
        (name.clone(), md5_hex("p:w")),
        (name, percent(&BASE64_STANDARD.encode("p:w"))),
        (twice("ann"), twice("p:w")),
        (percent(&twice("ann")), md5_hex("p:w")),
    ] {
        let query = Query::of(&[("username", &name), ("password", &password)]);
        let admitted = admit(&access, far(), &headers, &query);
        assert_eq!(admitted, Ok(ann.clone()), "{name} {password}");
    }
    // A wrong password is wrong on this machine too.
    assert_eq!(
        admit(&access, HOME, &header("ann:x"), &none),
        Err(Refusal::Wrong)
    );
}

#[test]
fn refused_logins_of_every_kind_are_in_the_log() {
    let log = EventLog::new(cordon_base::log::LogCapacity::default());
    let lines = || {
        let lines = log.tail(None, 100);
        let lines: Vec<_> = lines.iter().map(|it| it.message()).collect();
        lines
    };
    let of = |access: Access| access.with_log(log.clone());
    let (none, headers) = (Query::default(), HeaderMap::new());
    let name = BASE64_STANDARD.encode("bob\n");
    let query = Query::of(&[("username", &name), ("password", &name)]);
    let digest = "username=\"eve\", realm=\"indigo\", nonce=\"1-1-1\", uri=\"/\", qop=auth, \
                  nc=00000001, cnonce=\"c\", response=\"0\"";
    let access = of(users());
    admit(&access, far(), &header("ann:no"), &none).unwrap_err();
    admit(&access, far(), &headers, &query).unwrap_err();
    access.digest(far(), digest, "GET", "/").unwrap_err();
    let again = header("ann:no");
    let again = again[header::AUTHORIZATION].to_str().unwrap();
    access
        .basic(far(), again.strip_prefix("Basic ").unwrap())
        .unwrap_err();
    access.compare(far(), "1", "2").unwrap_err();
    access.refuse_key(far(), false);
    let from = "from 192.168.1.9 refused";
    let wrong = "the user or the password is wrong";
    assert_eq!(
        lines(),
        [
            format!("Warning: login of user \"ann\" {from} (HTTP Basic): {wrong}"),
            format!(
                "Warning: login of user \"bob\\n\" {from} (a password in the address): {wrong}"
            ),
            format!("Warning: login of user \"eve\" {from} (HTTP Digest): {wrong}"),
            format!("Warning: login of user \"ann\" {from} (HTTP Basic): {wrong}"),
            format!("Warning: login {from} (security code): {wrong}"),
            format!("Warning: login {from} (API key): there is no such key"),
        ]
    );
    // An address that is locked out, a key for something else, and a hub without users.
    let access = of(users());
    for _ in 0..=crate::throttle::FAILURES {
        admit(&access, far(), &header("ann:no"), &none).unwrap_err();
    }
    assert!(lines().pop().unwrap().contains("locked out for a minute"));
    let access = of(users());
    access.refuse_key(far(), true);
    assert!(
        lines()
            .pop()
            .unwrap()
            .ends_with("the key is for something else")
    );
    admit(&of(access_of_nobody()), far(), &header("ann:no"), &none).unwrap_err();
    assert!(
        lines()
            .pop()
            .unwrap()
            .ends_with("there are no `users` under [web]")
    );
    // Whoever gives nothing, or is let in, is not told of.
    let count = lines().len();
    admit(&access, far(), &headers, &none).unwrap_err();
    admit(&access, far(), &header("ann:p:w"), &none).unwrap();
    assert_eq!(lines().len(), count);
}

fn access_of_nobody() -> Access {
    access("")
}

#[test]
fn networks_that_need_no_password_are_listed() {
    let access = access("networks = [\"192.168.1.0/24\"]");
    let (headers, none) = (HeaderMap::new(), Query::default());
    assert_eq!(admit(&access, far(), &headers, &none), Ok(local()));
    assert_eq!(admit(&access, HOME, &headers, &none), Err(Refusal::Missing));
}

#[test]
fn wrong_passwords_are_counted_per_address() {
    let access = users();
    let none = Query::default();
    for _ in 0..crate::throttle::FAILURES {
        assert_eq!(
            admit(&access, far(), &header("ann:x"), &none),
            Err(Refusal::Wrong)
        );
    }
    // The right password comes too late, from that address alone.
    assert_eq!(
        admit(&access, far(), &header("ann:p:w"), &none),
        Err(Refusal::TooMany)
    );
    assert!(admit(&access, HOME, &header("ann:p:w"), &none).is_ok());
}

#[test]
fn wrong_passwords_in_addresses_lock_out_nobody_who_sends_a_header() {
    let access = users();
    let wrong = Query::of(&[("username", "eA=="), ("password", "eA==")]);
    for _ in 0..crate::throttle::FAILURES {
        let refused = admit(&access, far(), &HeaderMap::new(), &wrong);
        assert_eq!(refused, Err(Refusal::Wrong));
    }
    let refused = admit(&access, far(), &HeaderMap::new(), &wrong);
    assert_eq!(refused, Err(Refusal::TooMany));
    let none = Query::default();
    assert!(admit(&access, far(), &header("ann:p:w"), &none).is_ok());
}

#[test]
fn behind_a_trusted_proxy_each_client_has_an_address_of_its_own() {
    let access = access(
        "users = [{ name = \"ann\", password = \"p:w\" }]\n\
         networks = [\"192.168.1.0/24\", \"127.0.0.1\"]\nproxies = [\"127.0.0.1\"]",
    );
    let none = Query::default();
    let from = |address: &str, mut headers: HeaderMap| {
        headers.insert("x-forwarded-for", address.parse().unwrap());
        admit(&access, HOME, &headers, &none)
    };
    assert_eq!(from("192.168.1.5", HeaderMap::new()), Ok(local()));
    assert_eq!(from("203.0.113.9", HeaderMap::new()), Err(Refusal::Missing));
    // A proxy that does not say who asks is not the machine's own user.
    assert_eq!(
        admit(&access, HOME, &HeaderMap::new(), &none),
        Err(Refusal::Missing)
    );
    // A blocked address is blocked alone.
    for _ in 0..crate::throttle::FAILURES {
        assert_eq!(from("203.0.113.9", header("ann:x")), Err(Refusal::Wrong));
    }
    assert_eq!(
        from("203.0.113.9", header("ann:p:w")),
        Err(Refusal::TooMany)
    );
    assert!(from("203.0.113.10", header("ann:p:w")).is_ok());
}
