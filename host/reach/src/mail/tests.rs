//! Addresses, and mail servers that misbehave.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use cordon_base::grants::mailbox::Receiver;
use cordon_base::pool::Pools;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

#[test]
fn addresses_are_plain_ones() {
    for good in [
        "me@example.org",
        " a.b+c@mail-1.example.org ",
        "root@localhost",
    ] {
        assert!(good.parse::<Address>().is_ok(), "{good}");
    }
    let long = format!("{}@b", "a".repeat(65));
    let longer = format!("a@{}", "b".repeat(254));
    for bad in [
        "",
        "me",
        "@b",
        "a@",
        "a@b@c",
        "a b@c",
        "<a@b>",
        "a@b>",
        "a@b\r\nDATA",
        "\"a b\"@c",
        "grüße@b",
        "a,b@c",
        "*@b",
        "a*b@c",
        "a@b*c.org",
        "a@[127.0.0.1]",
        &long,
        &longer,
    ] {
        assert!(bad.parse::<Address>().is_err(), "{bad}");
    }
}

#[test]
fn grants_name_addresses_or_anybody() {
    let one = Receiver::try_from("me@example.org".to_owned()).unwrap();
    assert!(one.means(&address("ME@Example.org")) && !one.means(&address("you@example.org")));
    assert!(
        Receiver::try_from("*".to_owned())
            .unwrap()
            .means(&address("you@example.org"))
    );
    assert!(Receiver::try_from("*@example.org".to_owned()).is_err());
}

#[test]
fn no_subject_becomes_a_header_or_a_long_line() {
    for subject in [
        "a\r\nBcc: b@c".to_owned(),
        "x".repeat(5000),
        "ü".repeat(5000),
        "=?UTF-8?B?eA==?=".to_owned(),
        "\u{0}\u{7f}".to_owned(),
        format!("a{}b", " ".repeat(900)),
        "ü ".repeat(500),
    ] {
        let letter = Letter {
            to: vec![address("a@b"), address("c@d")],
            subject: subject.clone(),
            body: ".\r\n.\n".to_owned(),
        };
        let bytes = message::bytes(&address("hub@example.org"), &letter, 7).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (headers, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(headers.lines().all(|line| line.len() <= 998), "{headers}");
        assert!(
            !headers.lines().any(|line| line.trim().is_empty()),
            "{headers}"
        );
        assert!(
            !headers.lines().any(|line| line.starts_with("Bcc")),
            "{headers}"
        );
        assert!(!body.lines().any(|line| line.starts_with('.')), "{body}");
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "{text}");
    }
}

/// What comes of a server that says this as soon as somebody connects.
async fn outcome(security: &str, says: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // The hub may have enough before the end.
        let _ = stream.write_all(says).await;
        // Until the hub is gone.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let config = format!(
        "server = \"127.0.0.1\"\nport = {port}\nsecurity = \"{security}\"\nfrom = \"hub@example.org\"\n\
         verify = false\nuser = \"u\"\npassword = \"p\""
    );
    let letter = Letter {
        to: vec![address("a@b")],
        subject: String::new(),
        body: String::new(),
    };
    let mailer = Mailer::new(toml::from_str(&config).unwrap());
    mailer
        .send(&letter, &Pools::default().files)
        .await
        .unwrap_err()
        .to_string()
}

#[tokio::test]
async fn servers_that_misbehave_are_told() {
    let early = b"220 a\r\n250-b\r\n250 STARTTLS\r\n220 c\r\n250 injected\r\n";
    for (security, says, expected) in [
        (
            "starttls",
            &early[..],
            "the connection to the mail server: received corrupt message",
        ),
        ("none", b"SSH-2.0-x\r\n", "does not speak SMTP"),
        (
            "none",
            b"220 a\r\n250-b\r\n250- \r\n250 c\r\n",
            "says what cannot be read",
        ),
        (
            "none",
            b"220 a\r\n250 b\r\n",
            "takes no password by AUTH PLAIN or LOGIN",
        ),
        (
            "none",
            b"220 a\r\n250-b\r\n250 AUTH LOGIN\r\n334 dG9rZW4/\r\n",
            "takes no password by AUTH PLAIN or LOGIN",
        ),
        (
            "none",
            b"220 a\r\n250-b\r\n250 AUTH LOGIN\r\n334 !\r\n",
            "does not speak SMTP",
        ),
        (
            "none",
            b"554 go\x1b[31m away\r\n",
            "says to the connection: 554 go[31m away",
        ),
        ("none", b"220 \xff\r\n", "the connection to the mail server"),
        ("tls", b"220 a\r\n", "the connection to the mail server"),
    ] {
        let text = outcome(security, says).await;
        assert!(text.contains(expected), "{text}");
    }
    let endless: &'static [u8] = Vec::leak(b"220-a\r\n".repeat(20_000));
    let long: &'static [u8] = Vec::leak(vec![b'2'; 1 << 20]);
    for says in [endless, long] {
        let text = outcome("none", says).await;
        assert!(text.contains("it says too much for one letter"), "{text}");
    }
    let line: &'static [u8] = Vec::leak([b"220 ", &vec![b'x'; 2000][..], b"\r\n"].concat());
    assert!(outcome("none", line).await.contains("does not speak SMTP"));
}

fn all_places(mailer: &Mailer, sender: Option<u64>) -> Vec<Place> {
    std::iter::from_fn(|| mailer.place(sender)).collect()
}

#[test]
fn only_so_many_letters_are_on_their_way_and_few_of_one_plugin() {
    let config = toml::from_str("server = \"a\"\nfrom = \"a@b\"").unwrap();
    let mailer = Mailer::new(config);
    let one = all_places(&mailer, Some(1));
    let other = all_places(&mailer, Some(2));
    assert_eq!((one.len(), other.len()), (EACH, EACH));
    let operator = all_places(&mailer, None);
    assert_eq!(operator.len(), ON_THE_WAY - 2 * EACH);
    drop(operator);
    assert!(all_places(&mailer, Some(2)).is_empty());
    drop(other);
    assert_eq!(all_places(&mailer, Some(2)).len(), EACH);
}
