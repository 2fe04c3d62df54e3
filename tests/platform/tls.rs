//! Module `ssl` without sockets: both ends in one plugin, over memory BIOs.
//!
//! The other end of real connections is in `https`.

use rcgen::date_time_ymd;

use crate::certificates::{Authority, Pair, self_signed};
use crate::support::{Bench, PluginText};

/// Python that every plugin here starts with.
pub const PRELUDE: &str = r#"
import ssl, traceback

class Ends:
    "A client and a server with what lies between them."
    def __init__(self, client, server, name=None):
        self.bios = [ssl.MemoryBIO() for n in range(4)]
        a, b, c, d = self.bios
        self.client = client.wrap_bio(a, b, server_hostname=name)
        self.server = server.wrap_bio(c, d, server_side=True)
    def carry(self):
        a, b, c, d = self.bios
        c.write(b.read())
        a.write(d.read())
    def until(self, call):
        for n in range(200):
            try:
                result = call()
            except ssl.SSLWantReadError:
                self.carry()
            else:
                self.carry()
                return result
        raise AssertionError("it never ends")
    def shake(self):
        waiting = [self.client, self.server]
        for n in range(20):
            for end in list(waiting):
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    pass
                else:
                    waiting.remove(end)
                finally:
                    self.carry()
            if not waiting:
                return self
        raise AssertionError("hands are never shaken")

def server_context(name="leaf", **settings):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/plugin/%s.pem" % name, "/plugin/%s.key" % name)
    return context

def client_context(ca="ca"):
    return ssl.create_default_context(cafile="/plugin/%s.pem" % ca)

def told(call):
    try:
        return repr(call())
    except Exception as error:
        return "%s: %s" % (type(error).__name__, error)

def onStart():
    try:
        run()
    except BaseException:
        Domoticz.Error(traceback.format_exc())
        Domoticz.Log("it failed.")
    else:
        Domoticz.Log("it ended.")
"#;

/// Runs a plugin whose folder has `ca.pem` and the pairs; returns what it logged.
pub async fn run(pairs: &[(&str, &Pair)], ca: &str, config: &str, source: &str) -> Bench {
    let mut bench = Bench::new();
    let folder = bench.plugin_folder("Tls");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ca.pem"), ca).unwrap();
    for (name, pair) in pairs {
        pair.write(&folder, name);
    }
    let source = format!("{PRELUDE}\n{source}");
    bench
        .start(PluginText {
            name: "Tls",
            source: &source,
            config,
        })
        .await;
    bench.line("it ").await;
    bench.drain();
    assert!(
        bench.seen_line("it ended.").is_some(),
        "{}",
        bench.transcript()
    );
    bench
}

fn expect(bench: &Bench, lines: &[&str]) {
    for line in lines {
        assert!(
            bench.seen_line(line).is_some(),
            "no {line:?} in\n{}",
            bench.transcript()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_ends_shake_hands_talk_and_part() {
    let ca = Authority::new("Test CA");
    let leaf = ca.pair("device", &["device.lan", "*.wild.lan", "127.0.0.1", "::1"]);
    let bench = run(&[("leaf", &leaf)], ca.pem(), "", r#"
def run():
    client, server = client_context(), server_context()
    client.set_alpn_protocols(["h2", "http/1.1"])
    server.set_alpn_protocols(["http/1.1"])
    ends = Ends(client, server, "device.lan")
    Domoticz.Log("before %r %r" % (ends.client.version(), ends.client.cipher()))
    Domoticz.Log(told(ends.client.getpeercert))
    ends.shake()
    Domoticz.Log("agreed %s %s %s" % (ends.client.version(), ends.client.cipher(), ends.client.selected_alpn_protocol()))
    certificate = ends.client.getpeercert()
    Domoticz.Log("subject %r" % (certificate["subject"],))
    Domoticz.Log("issuer %r" % (certificate["issuer"],))
    Domoticz.Log("names %r" % (certificate["subjectAltName"],))
    assert certificate["version"] == 3 and certificate["notAfter"].endswith(" GMT")
    assert ssl.cert_time_to_seconds(certificate["notBefore"]) < ssl.cert_time_to_seconds(certificate["notAfter"])
    der = ends.client.getpeercert(True)
    assert ssl.PEM_cert_to_DER_cert(open("/plugin/leaf.pem").read()) == der
    assert ends.client.get_unverified_chain() == [der], ends.client.get_unverified_chain()
    assert ends.server.getpeercert() is None
    data = bytes(range(256)) * 4096
    got, sent = bytearray(), 0
    while len(got) < len(data):
        if sent < len(data):
            sent += ends.client.write(data[sent:])
        ends.carry()
        got += ends.until(lambda: ends.server.read(10000))
    assert got == data
    buffer = bytearray(5)
    ends.server.write(b"hello, client")
    ends.carry()
    assert ends.client.read(5, buffer) == 5 and buffer == b"hello"
    assert ends.client.pending() == 8, ends.client.pending()
    assert ends.client.read(100) == b", client"
    a, b = ends.client.get_channel_binding, ends.server.get_channel_binding
    assert ends.client._sslobj.get_channel_binding("tls-exporter") == ends.server._sslobj.get_channel_binding("tls-exporter")
    Domoticz.Log("binding " + told(ends.client.get_channel_binding))
    try: ends.client.unwrap()
    except ssl.SSLWantReadError: ends.carry()
    assert ends.server.read(10) == b""
    ends.server.unwrap()
    ends.carry()
    ends.client.unwrap()
    Domoticz.Log("after " + told(lambda: ends.client.write(b"x")))
"#).await;
    expect(
        &bench,
        &[
            "before None None",
            "ValueError: handshake not done yet",
            "agreed TLSv1.3 ('TLS_AES_256_GCM_SHA384', 'TLSv1.3', 256) http/1.1",
            "subject ((('countryName', 'NL'),), (('commonName', 'device'),))",
            "issuer ((('countryName', 'NL'),), (('commonName', 'Test CA'),))",
            "names (('DNS', 'device.lan'), ('DNS', '*.wild.lan'), ('IP Address', '127.0.0.1'), ('IP Address', '0:0:0:0:0:0:0:1'))",
            "binding ValueError: 'tls-unique' channel binding type not implemented",
            "after SSLZeroReturnError: TLS/SSL connection has been closed (EOF)",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_good_enough_is_refused_with_openssls_words() {
    let ca = Authority::new("Test CA");
    let leaf = ca.pair("device", &["device.lan", "10.0.0.1"]);
    let old = ca.pair_with("old", &["device.lan"], |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    });
    let early = ca.pair_with("early", &["device.lan"], |params| {
        params.not_before = date_time_ymd(2090, 1, 1);
        params.not_after = date_time_ymd(2091, 1, 1);
    });
    let client_only = ca.pair_with("client", &["device.lan"], |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    });
    let nameless = ca.pair("cn.lan", &[]);
    let own = self_signed("own", &["device.lan"]);
    let stranger = Authority::new("Other CA").pair("device", &["device.lan"]);
    let bench = run(
        &[
            ("leaf", &leaf), ("old", &old), ("early", &early), ("client", &client_only),
            ("own", &own), ("stranger", &stranger), ("nameless", &nameless),
        ],
        ca.pem(), "", r#"
def attempt(title, pair, name, ca="ca"):
    ends = Ends(client_context(ca), server_context(pair), name)
    try:
        ends.shake()
    except ssl.SSLCertVerificationError as error:
        assert isinstance(error, ValueError) and isinstance(error, ssl.CertificateError)
        assert error.reason == "CERTIFICATE_VERIFY_FAILED" and error.library == "SSL"
        assert str(error) == "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: %s (_ssl.c:1000)" % error.verify_message
        ends.carry()
        Domoticz.Log("%s: %d %s | %s" % (title, error.verify_code, error.verify_message, told(ends.server.do_handshake)))
    else:
        Domoticz.Log("%s: fine." % title)

def run():
    attempt("good", "leaf", "device.lan")
    attempt("address", "leaf", "10.0.0.1")
    attempt("wrong name", "leaf", "other.lan")
    attempt("wrong address", "leaf", "10.0.0.2")
    attempt("old", "old", "device.lan")
    attempt("early", "early", "device.lan")
    attempt("purpose", "client", "device.lan")
    attempt("own", "own", "device.lan")
    attempt("own trusted", "own", "device.lan", "own")
    attempt("own trusted elsewhere", "own", "other.lan", "own")
    attempt("stranger", "stranger", "device.lan")
    attempt("common name", "nameless", "cn.lan")
    context = client_context()
    context.hostname_checks_common_name = False
    Domoticz.Log("common name off: " + told(Ends(context, server_context("nameless"), "cn.lan").shake))
    context = ssl._create_unverified_context()
    ends = Ends(context, server_context("old"), "whatever").shake()
    Domoticz.Log("unverified %r" % ends.client.getpeercert())
    assert ends.client.getpeercert(True)
"#).await;
    expect(
        &bench,
        &[
            "good: fine.",
            "address: fine.",
            "wrong name: 62 Hostname mismatch, certificate is not valid for 'other.lan'. | SSLError: [SSL: SSLV3_ALERT_CERTIFICATE_UNKNOWN]",
            "wrong address: 64 IP address mismatch, certificate is not valid for '10.0.0.2'.",
            "old: 10 certificate has expired",
            "early: 9 certificate is not yet valid",
            "purpose: 26 unsuitable certificate purpose",
            "own: 18 self-signed certificate",
            "own trusted: fine.",
            "own trusted elsewhere: 62 ",
            "stranger: 20 unable to get local issuer certificate",
            "common name: fine.",
            "common name off: SSLCertVerificationError: ",
            "unverified {}",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_and_ciphers_are_what_the_context_says() {
    let ca = Authority::new("Test CA");
    let leaf = ca.pair("device", &["device.lan"]);
    let bench = run(&[("leaf", &leaf)], ca.pem(), "", r#"
def agreed(title, client, server):
    def shake():
        ends = Ends(client, server, "device.lan").shake()
        return ends.client.version(), ends.client.cipher()[0]
    Domoticz.Log("%s: %s" % (title, told(shake)))

def run():
    client = client_context()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    agreed("maximum", client, server_context())
    client.set_ciphers("ECDHE+CHACHA20:!aNULL")
    agreed("cipher", client, server_context())
    only = server_context()
    only.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    agreed("no common cipher", client, only)
    new = server_context()
    new.minimum_version = ssl.TLSVersion.TLSv1_3
    agreed("no common version", client, new)
    client = client_context()
    client.options |= ssl.OP_NO_TLSv1_3
    agreed("option", client, server_context())
    agreed("fixed", ssl.SSLContext(ssl.PROTOCOL_TLSv1_2), server_context())
    agreed("old", ssl.SSLContext(ssl.PROTOCOL_TLSv1_1), server_context())
    client.minimum_version = ssl.TLSVersion.TLSv1
    agreed("low minimum", client, server_context())
    for text in ("RC4-SHA", "DES-CBC3-SHA:AES128-SHA", "!ALL", "nonsense"):
        Domoticz.Log("%s -> %s" % (text, told(lambda: client.set_ciphers(text))))
    for text in ("DEFAULT", "HIGH:!aNULL:!MD5", "ALL:@SECLEVEL=0", "ECDHE-RSA-AES128-GCM-SHA256", "EECDH+AESGCM:EDH+AESGCM"):
        client.set_ciphers(text)
        Domoticz.Log("%s has %d" % (text, len(client.get_ciphers())))
    Domoticz.Log("no certificate: " + told(Ends(client_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "device.lan").shake))
    ends = Ends(client_context(), server_context(), "device.lan")
    ends.bios[2].write(b"GET / HTTP/1.1\r\n\r\n")
    Domoticz.Log("plain text: " + told(ends.server.do_handshake))
    ends = Ends(client_context(), server_context(), "device.lan")
    ends.bios[0].write_eof()
    Domoticz.Log("end: " + told(ends.client.do_handshake))
"#).await;
    expect(
        &bench,
        &[
            "maximum: ('TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384')",
            "cipher: ('TLSv1.2', 'ECDHE-ECDSA-CHACHA20-POLY1305')",
            "no common cipher: SSLError: [SSL: NO_SHARED_CIPHER] no shared cipher",
            "no common version: SSLError: [SSL: UNSUPPORTED_PROTOCOL] unsupported protocol",
            "option: ('TLSv1.2', ",
            "fixed: ('TLSv1.2', ",
            "old: SSLError: [SSL: NO_PROTOCOLS_AVAILABLE] no protocols available: the hub speaks TLS 1.2 and 1.3 only",
            "low minimum: ('TLSv1.2', ",
            // Suites of old devices take the grant `legacy-tls`. Without it the hub's own are meant.
            "RC4-SHA -> None",
            "DES-CBC3-SHA:AES128-SHA -> None",
            "!ALL -> SSLError: No cipher can be selected.",
            "nonsense -> SSLError: No cipher can be selected.",
            "DEFAULT has 9",
            "HIGH:!aNULL:!MD5 has 9",
            "ALL:@SECLEVEL=0 has 9",
            "ECDHE-RSA-AES128-GCM-SHA256 has 4",
            "EECDH+AESGCM:EDH+AESGCM has 7",
            "no certificate: SSLError: [SSL: NO_SHARED_CIPHER]",
            "plain text: SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number",
            "end: SSLEOFError: [SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_asks_clients_for_certificates_and_chooses_its_own_by_name() {
    let ca = Authority::new("Test CA");
    let leaf = ca.pair("device", &["device.lan"]);
    let other = ca.pair("other", &["other.lan"]);
    let client = ca.pair("plugin", &["plugin.lan"]);
    let stranger = self_signed("stranger", &["plugin.lan"]);
    let pairs = [
        ("leaf", &leaf),
        ("other", &other),
        ("client", &client),
        ("stranger", &stranger),
    ];
    let bench = run(&pairs, ca.pem(), "", r#"
def asking():
    context = server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations("/plugin/ca.pem")
    return context

def shake(client, server, name="device.lan"):
    ends = Ends(client, server, name).shake()
    ends.client.write(b"x")
    ends.carry()
    ends.server.read(1)
    return ends

def run():
    showing = client_context()
    showing.load_cert_chain("/plugin/client.pem", "/plugin/client.key")
    ends = shake(showing, asking())
    Domoticz.Log("client %r" % (ends.server.getpeercert()["subject"],))
    Domoticz.Log("none: " + told(lambda: shake(client_context(), asking())))
    wrong = client_context()
    wrong.load_cert_chain("/plugin/stranger.pem", "/plugin/stranger.key")
    Domoticz.Log("wrong: " + told(lambda: shake(wrong, asking())))
    maybe = asking()
    maybe.verify_mode = ssl.CERT_OPTIONAL
    assert shake(client_context(), maybe).server.getpeercert() is None

    server = server_context()
    other = server_context("other")
    def choose(sock, name, context):
        Domoticz.Log("asked for %r, ours %r %r" % (name, context is server, isinstance(sock, ssl.SSLObject)))
        if name == "other.lan": sock.context = other
        if name == "none.lan": return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    server.sni_callback = choose
    for name in ("device.lan", "other.lan"):
        ends = shake(client_context(), server, name)
        Domoticz.Log("chosen %s: %r" % (name, ends.client.getpeercert()["subjectAltName"]))
    ends = Ends(client_context(), server, "none.lan")
    ends.until(ends.client.do_handshake) if False else None
    try: ends.client.do_handshake()
    except ssl.SSLWantReadError: ends.carry()
    Domoticz.Log("refusing: " + told(ends.server.do_handshake))
    ends.carry()
    Domoticz.Log("refused: " + told(ends.client.do_handshake))
"#).await;
    expect(
        &bench,
        &[
            "client ((('countryName', 'NL'),), (('commonName', 'plugin'),))",
            "none: SSLError: [SSL: PEER_DID_NOT_RETURN_A_CERTIFICATE] peer did not return a certificate",
            "wrong: SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate",
            "asked for 'device.lan', ours True True",
            "chosen device.lan: (('DNS', 'device.lan'),)",
            "chosen other.lan: (('DNS', 'other.lan'),)",
            "refusing: SSLError: [SSL: CALLBACK_FAILED] callback failed",
            "refused: SSLError: [SSL: TLSV1_UNRECOGNIZED_NAME] tlsv1 unrecognized name",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_loaded_is_told_of_where_it_is_loaded() {
    let ca = Authority::new("Test CA");
    let leaf = ca.pair("device", &["device.lan"]);
    let other = ca.pair("other", &["other.lan"]);
    let mut secret = ca.pair("secret", &["device.lan"]);
    secret.key = encrypted(&secret.key);
    let pairs = [("leaf", &leaf), ("other", &other), ("secret", &secret)];
    let bench = run(&pairs, ca.pem(), "", r#"
def run():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    chain = context.load_cert_chain
    Domoticz.Log("1 " + told(lambda: chain("/plugin/leaf.pem", "/plugin/other.key")))
    Domoticz.Log("2 " + told(lambda: chain("/plugin/leaf.pem")))
    Domoticz.Log("3 " + told(lambda: chain("/plugin/leaf.key")))
    Domoticz.Log("4 " + told(lambda: chain("/plugin/missing.pem")))
    Domoticz.Log("5 " + told(lambda: chain("/plugin/secret.pem", "/plugin/secret.key")))
    Domoticz.Log("6 " + told(lambda: chain("/plugin/secret.pem", "/plugin/secret.key", "wrong")))
    Domoticz.Log("7 " + told(lambda: chain("/plugin/secret.pem", "/plugin/secret.key", lambda: b"secret")))
    Ends(client_context(), context, "device.lan").shake()
    load = context.load_verify_locations
    Domoticz.Log("8 " + told(lambda: load("/plugin/leaf.key")))
    Domoticz.Log("9 " + told(lambda: load("/plugin/missing.pem")))
    Domoticz.Log("10 " + told(lambda: load(cadata=b"\x30\x82")))
    Domoticz.Log("11 " + told(lambda: load()))
    text = open("/plugin/ca.pem").read()
    load(cadata=text)
    load(cadata=ssl.PEM_cert_to_DER_cert(text))
    load("/plugin/leaf.pem")
    Domoticz.Log("12 %r" % context.cert_store_stats())
    Domoticz.Log("13 %r" % (context.get_ca_certs()[0]["subject"],))
    load("/etc/ssl/certs/ca-certificates.crt")
    Domoticz.Log("14 " + told(lambda: setattr(ssl.create_default_context(), "verify_mode", ssl.CERT_NONE)))
    Domoticz.Log("15 " + told(lambda: ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO())))
    Domoticz.Log("16 " + told(lambda: context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO())))
    Domoticz.Log("17 " + told(lambda: ssl.RAND_bytes(8) != ssl.RAND_bytes(8)))
    Domoticz.Log("18 " + told(lambda: len(ssl.create_default_context().get_ca_certs())))
"#).await;
    expect(
        &bench,
        &[
            "1 SSLError: [X509: KEY_VALUES_MISMATCH] key values mismatch",
            "2 SSLError: [SSL: PEM_LIB] PEM lib: there is no private key",
            "3 SSLError: [SSL: PEM_LIB] PEM lib: /plugin/leaf.key holds no certificate",
            "4 FileNotFoundError: ",
            "5 SSLError: [SSL: PEM_LIB] PEM lib: the private key is encrypted and no password was given",
            "6 SSLError: [PEM: BAD_DECRYPT] bad decrypt",
            "7 None",
            "8 SSLError: [X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found",
            "9 FileNotFoundError: ",
            "10 SSLError: [ASN1: NOT_ENOUGH_DATA] not enough data",
            "11 TypeError: cafile, capath and cadata cannot be all omitted",
            "12 {'x509': 2, 'crl': 0, 'x509_ca': 1}",
            "13 ((('countryName', 'NL'),), (('commonName', 'Test CA'),))",
            "14 ValueError: Cannot set verify_mode to CERT_NONE when check_hostname is enabled.",
            "15 <ssl.SSLObject object",
            "16 SSLError: Cannot create a client socket with a PROTOCOL_TLS_SERVER context",
            "17 True",
            "18 0",
        ],
    );
}

fn encrypted(key: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plain.key"), key).unwrap();
    let done = std::process::Command::new("openssl")
        .args([
            "pkcs8",
            "-topk8",
            "-v2",
            "aes-256-cbc",
            "-passout",
            "pass:secret",
        ])
        .args(["-in", "plain.key", "-out", "secret.key"])
        .current_dir(folder.path())
        .status();
    assert!(done.expect("install openssl").success());
    std::fs::read_to_string(folder.path().join("secret.key")).unwrap()
}

/// Shows a certificate whose key the plugin never sees.
const GRANTED: &str = r#"
import os
def run():
    for name in ("grant:web", "grant:other", "PATH", "/somewhere/else.pem"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        Domoticz.Log("%s: %s" % (name, told(lambda: context.load_cert_chain(name))))
        if name in ("grant:web", "PATH"):
            ends = Ends(client_context(), context, "device.lan")
            Domoticz.Log("%s shown: %s" % (name, told(lambda: ends.shake().client.getpeercert()["subjectAltName"])))
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_granted_key_is_used_and_never_seen() {
    let ca = Authority::new("Test CA");
    let folder = tempfile::tempdir().unwrap();
    ca.pair("web", &["device.lan"]).write(folder.path(), "web");
    let path = folder.path().display();
    let config = format!(
        "grants = {{ keys = [{{ name = \"web\", certificate = \"{path}/web.pem\", key = \"{path}/web.key\" }}] }}"
    );
    let source = GRANTED.replace("PATH", &format!("{path}/web.pem"));
    let bench = run(&[], ca.pem(), &config, &source).await;
    let by_path = format!("{path}/web.pem shown: (('DNS', 'device.lan'),)");
    expect(
        &bench,
        &[
            "grant:web: None",
            "grant:web shown: (('DNS', 'device.lan'),)",
            &by_path,
            "grant:other: PermissionError: [Errno 13] denied: private key \"other\"; to allow it, add `{ name = \"other\", ",
            "/somewhere/else.pem: FileNotFoundError: ",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_nobody_granted_is_refused_with_the_line_that_grants_it() {
    let ca = Authority::new("Test CA");
    let bench = run(&[], ca.pem(), "", GRANTED).await;
    expect(
        &bench,
        &[
            "grant:web: PermissionError: [Errno 13] denied: private key \"web\"; to allow it, add `keys = [{ name = \"web\", certificate = \"/path/to/chain.pem\", key = \"/path/to/key.pem\" }]` under [hardware.grants] of the [[hardware]] with name = ",
            "grant:web shown: SSLError: [SSL: NO_SHARED_CIPHER]",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_grant_that_are_of_no_use_are_told_of_without_their_paths() {
    let ca = Authority::new("Test CA");
    let config = "grants = { keys = [{ name = \"web\", certificate = \"/nowhere/web.pem\", key = \"/nowhere/web.key\" }] }";
    let bench = run(&[], ca.pem(), config, GRANTED).await;
    let line = bench.seen_line("grant:web: ").unwrap();
    assert!(
        line.contains("the certificate of key grant \"web\" cannot be read"),
        "{line}"
    );
    assert!(!line.contains("nowhere"), "{line}");
}
