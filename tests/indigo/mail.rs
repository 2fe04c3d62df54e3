//! Mail of plugins and of the operator's actions, through the mail server of the package
//! aiosmtpd: with TLS, passwords and refusals.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;

use cordon_reach::mail::{MailConfig, Mailer};
use serde_json::{Value, json};

use crate::stage::Stage;
use crate::support::PATIENCE;

/// Debian's Python: the package is Debian's too.
const PYTHON: &str = "/usr/bin/python3";

struct MailServer {
    child: Child,
    lines: Receiver<String>,
    port: u16,
}

impl MailServer {
    fn start(folder: &std::path::Path, security: &str, auth: &str) -> Self {
        let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (certificate, key) = (folder.join("mail.pem"), folder.join("mail.key"));
        std::fs::write(&certificate, pair.cert.pem()).unwrap();
        std::fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/indigo/mail_server.py"
        );
        let mut child = Command::new(PYTHON)
            .arg(script)
            .arg(security)
            .args([certificate, key])
            .args((!auth.is_empty()).then_some(auth))
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 and python3-aiosmtpd are installed");
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let first = lines.recv_timeout(PATIENCE).expect("the port");
        let port = first.trim().parse().unwrap();
        Self { child, lines, port }
    }

    fn letter(&mut self) -> Value {
        let line = tokio::task::block_in_place(|| self.lines.recv_timeout(PATIENCE));
        serde_json::from_str(&line.expect("a letter")).unwrap()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stage whose hub sends through this server.
fn stage(security: &str, auth: &str, config: &str) -> (Stage, MailServer) {
    let mut stage = Stage::new();
    let server = MailServer::start(stage.path(), security, auth);
    let text = format!(
        "server = \"localhost\"\nport = {}\nfrom = \"hub@example.org\"\n{config}",
        server.port
    );
    let config: MailConfig = toml::from_str(&text).unwrap();
    stage.mailer = Some(Mailer::new(config));
    // The data folder is the hub's own while it is open.
    stage.hub = None;
    stage.open();
    (stage, server)
}

const CODE: &str = "
class Plugin(indigo.PluginBase):
    def startup(self):
        for to, subject, body in LETTERS:
            try:
                indigo.server.sendEmailTo(to, subject=subject, body=body)
                indigo.server.log('handed over')
            except Exception as error:
                indigo.server.log('%s: %s' % (type(error).__name__, error))
";

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_writes_to_whom_it_may() {
    let (mut stage, mut server) = stage("none", "", "security = \"none\"");
    let code = format!(
        "{CODE}
LETTERS = [
    ('someone@example.org', 'no', 'no'),
    ('me@example.org', 'Grüße\\nBcc: all@example.org', 'Zeile 1\\n.\\n.Zeile é\\n' + 'x' * 2000),
    ('ME@example.org; you@example.org', 'plain', ''),
    ('me@example.org', 'l' * 200, 'text'),
    ('me@example.org\\r\\nRCPT TO:<all@example.org>', 'no', 'no'),
    ('', 'no', 'no'),
    ([5], 'no', 'no'),
]
"
    );
    let config = "grants = { mail = [\"me@example.org\", \"you@example.org\"] }";
    stage.start_code(&code, config).await;
    stage
        .line("ServerError: denied: sending mail to someone@example.org")
        .await;
    let first = server.letter();
    let body = format!("Zeile 1\r\n.\r\n.Zeile é\r\n{}\r\n", "x".repeat(2000));
    let expected = json!({"tls": false, "known": false, "sender": "hub@example.org",
        "receivers": ["me@example.org"], "from": "hub@example.org", "to": "me@example.org",
        "subject": "Grüße Bcc: all@example.org", "dated": true, "defects": [], "body": body,
        "headers": ["Content-Transfer-Encoding", "Content-Type", "Date", "From", "MIME-Version",
            "Message-ID", "Subject", "To"], "longest": 76});
    let mut letters = vec![first, server.letter(), server.letter()];
    let of = |letters: &[Value], start: &str| {
        let found = letters
            .iter()
            .find(|it| it["subject"].as_str().unwrap().starts_with(start));
        found.expect("the letter").clone()
    };
    assert_eq!(of(&letters, "Gr"), expected);
    let plain = of(&letters, "plain");
    assert_eq!(
        plain["receivers"],
        json!(["ME@example.org", "you@example.org"])
    );
    assert_eq!(plain["to"], "ME@example.org, you@example.org");
    let long = of(&letters, "l");
    assert_eq!(long["subject"], "l".repeat(200));
    letters.clear();
    // The server has a letter a moment before the hub has its answer.
    stage.line("mail to me@example.org: sent").await;
    stage.stop().await;
    let text = stage.transcript();
    assert_eq!(text.matches("handed over").count(), 3, "{text}");
    assert_eq!(text.matches("ValueError").count(), 3, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_actions_write_to_anybody_with_tls_and_a_password() {
    for (security, auth) in [
        ("starttls", "PLAIN"),
        ("tls", "LOGIN"),
        ("starttls", "LOGIN"),
    ] {
        let config = format!(
            "security = \"{security}\"\nverify = false\nuser = \"hub\"\npassword = \"sécret\""
        );
        let (mut stage, mut server) = stage(security, auth, &config);
        let mail = json!({"class": "indigo.EmailAction", "emailTo": "anybody@example.org",
            "emailSubject": "bell", "emailBody": "%%e:\"event-type\"%% %%v:1%% rang"});
        let group = json!({"name": "bell", "actions": [mail]});
        stage.done("actionGroup.create", group).await;
        stage
            .done("actionGroup.execute", json!({"id": "bell"}))
            .await;
        let letter = server.letter();
        assert_eq!(
            (&letter["tls"], &letter["known"], &letter["body"]),
            (
                &json!(true),
                &json!(true),
                &json!("ActionGroup %%v:1%% rang\r\n")
            )
        );
        stage.line("there is no variable with id 1").await;
        stage.line("mail to anybody@example.org: sent").await;
        stage.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_does_not_take_is_told() {
    let letter = |to: &str| json!({"emailTo": to, "subject": "s", "body": "b"});
    for (security, auth, config, to, says) in [
        (
            "none",
            "",
            "security = \"none\"",
            "refused@example.org",
            "not sent: the mail server says to RCPT TO: 550 5.1.1 no such mailbox",
        ),
        (
            "none",
            "PLAIN",
            "security = \"none\"\nuser = \"hub\"\npassword = \"wrong\"",
            "me@example.org",
            "not sent: the mail server says to AUTH: 535 5.7.8 Authentication credentials invalid",
        ),
        (
            "none",
            "",
            "security = \"starttls\"",
            "me@example.org",
            "not sent: the mail server has no STARTTLS",
        ),
        // Its certificate is its own word.
        (
            "starttls",
            "",
            "security = \"starttls\"",
            "me@example.org",
            "not sent: the connection to the mail server: invalid peer certificate",
        ),
    ] {
        let (mut stage, _server) = stage(security, auth, config);
        stage.done("server.sendEmailTo", letter(to)).await;
        let line = stage.line(says).await;
        assert!(!line.contains("wrong\""), "{line}");
        stage.stop().await;
    }
}
