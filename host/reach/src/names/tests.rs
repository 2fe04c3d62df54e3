use super::*;
use crate::egress::OwnTarget;

fn names(grants: &str, limits: &Limits) -> Names {
    let own = OwnTarget::default();
    let policy = NetworkPolicy::new(&own, toml::from_str(grants).unwrap(), Vec::new());
    let pool = Pool::new("names", 2, 1);
    Names::new(Arc::new(policy), pool, Account::new(limits), limits)
}

fn ip(number: u32) -> IpAddr {
    IpAddr::V4(number.to_be_bytes().into())
}

#[test]
fn names_are_bounded_and_paid_for() {
    let names = names("", &Limits::default());
    for n in 0..2000_u32 {
        names
            .remember(format!("{n}.lan"), [ip(n)].into_iter())
            .unwrap();
    }
    assert!(names.of(ip(0)).is_empty());
    assert_eq!(names.of(ip(1999)), ["1999.lan"]);
    let each = u64::try_from(NAME_COST).unwrap();
    assert!(
        names.account.used() >= each * 256,
        "{}",
        names.account.used()
    );
    assert!(names.account.used() < (each + 10) * 257);
}

#[test]
fn a_name_that_cannot_be_paid_for_is_not_remembered() {
    let limits = Limits {
        host_memory: 100,
        ..Limits::default()
    };
    let names = names("", &limits);
    let hit = names.remember("a.lan".to_owned(), [ip(1)].into_iter());
    assert_eq!(hit.unwrap_err().which, "host-memory");
    assert!(names.of(ip(1)).is_empty());
}

#[tokio::test]
async fn every_way_needs_a_grant_that_could_cover_the_name_and_counts() {
    let limits = Limits {
        lookups: 3,
        ..Limits::default()
    };
    let grants = "network = [\"a.invalid:80\"]\nicmp = [\"b.invalid\"]";
    let names = names(grants, &limits);
    let denied = |failure| matches!(failure, Err(LookupFailure::Denied(_)));
    for (name, purpose) in [
        ("b.invalid", Purpose::Socket(None)),
        ("secret.exfil.example", Purpose::Socket(Some(80))),
        ("secret.exfil.example", Purpose::Connection(80)),
        ("a.invalid", Purpose::Connection(81)),
        ("a.invalid", Purpose::Echo),
        ("secret.exfil.example", Purpose::Echo),
    ] {
        assert!(
            denied(names.resolve(name, purpose).await),
            "{name} {purpose:?}"
        );
    }
    assert_eq!(lock(&names.minute).count, 0);
    for (name, purpose) in [
        ("a.invalid", Purpose::Socket(None)),
        ("A.invalid.", Purpose::Connection(80)),
        ("b.invalid", Purpose::Echo),
    ] {
        let failure = names.resolve(name, purpose).await.unwrap_err();
        assert!(
            matches!(failure, LookupFailure::Unknown | LookupFailure::Again),
            "{failure:?}"
        );
    }
    let over = names.resolve("b.invalid", Purpose::Echo).await.unwrap_err();
    assert_eq!(over, LookupFailure::Limit(Limits::hit("lookups", 4, 3)));
}

#[tokio::test]
async fn a_name_that_is_too_long_for_one_is_none() {
    let names = names("network = [\"*:*\"]", &Limits::default());
    let long = "a".repeat(1 << 20);
    let failure = names.resolve(&long, Purpose::Connection(80)).await;
    assert_eq!(failure, Err(LookupFailure::Unknown));
    assert_eq!(lock(&names.minute).count, 0);
}

#[tokio::test]
async fn this_machine_is_not_looked_up() {
    let names = names("", &Limits::default());
    let found = names.resolve("localhost", Purpose::Connection(80)).await;
    assert_eq!(found.unwrap().len(), 2);
    assert_eq!(lock(&names.minute).count, 0);
}
