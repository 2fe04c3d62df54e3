//! Runs the cases, a few at a time, and keeps the table of rules true.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::SocketAddr;

use crate::behaviour::{Behaviour, document};
use crate::case::{Action, Case, Datagram, PageAction, Ports, Script, Step};
use crate::peer::{Peer, UdpPeer, bytes};
use crate::stage::Stage;
use crate::support::ports::free_port;

/// Cases that run at the same time; most of their time is waiting.
const AT_A_TIME: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn every_case_behaves_as_its_script_says() {
    let wanted = std::env::var("CORDON_CASE").unwrap_or_default();
    let mut cases = Case::all();
    // A script that cannot be read fails here and not at the end.
    cases.iter().for_each(|case| drop(case.claim()));
    cases.retain(|case| case.name.contains(&wanted));
    assert!(!cases.is_empty(), "no case is called {wanted:?}");
    let count = cases.len();
    let mut cases = cases.into_iter();
    let mut running = tokio::task::JoinSet::new();
    let (mut problems, mut failed) = (Vec::new(), BTreeSet::new());
    loop {
        while running.len() < AT_A_TIME
            && let Some(case) = cases.next()
        {
            // A task of its own, so that one that panics is told with its name.
            let name = case.name.clone();
            let ran = tokio::spawn(async move { run(&case).await });
            running.spawn(async move {
                let panicked = |error| Err(format!("it panicked: {error}"));
                (ran.await.unwrap_or_else(panicked), name)
            });
        }
        let Some(ended) = running.join_next().await else {
            break;
        };
        let (outcome, name) = ended.expect("the task above does not panic");
        if let Err(problem) = outcome {
            problems.push(format!("== {name}: {problem}"));
            failed.insert(name);
        }
    }
    let behaviour = Behaviour::new(&Case::all(), failed);
    if wanted.is_empty()
        && let Err(problem) = conclude(&behaviour)
    {
        problems.push(problem);
    }
    assert!(
        problems.is_empty(),
        "{} problems with {count} cases:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

/// Says how many rules pass and compares the table with the one in the docs.
fn conclude(behaviour: &Behaviour) -> Result<(), String> {
    // Not println: the harness hides the output of a passing test.
    let summary = behaviour.summary();
    let _ = writeln!(std::io::stderr(), "\n{summary}");
    let missing = behaviour.missing();
    if !missing.is_empty() {
        let _ = writeln!(std::io::stderr(), "assertions without a case: {missing:?}");
    }
    let table = behaviour.table();
    if std::env::var_os("CORDON_WRITE_BEHAVIOUR").is_some() {
        std::fs::write(document(), &table).expect("the document is written");
    }
    let documented = std::fs::read_to_string(document()).unwrap_or_default();
    if documented == table {
        return Ok(());
    }
    Err("docs/domoticz-behaviour.md is not what the cases say; run `make behaviour`".to_owned())
}

async fn run(case: &Case) -> Result<(), String> {
    let mut stage = Stage::new();
    let mut peers = Peers::new().await;
    let script = case.script(peers.ports());
    let outcome = act(case, &script, &mut peers, &mut stage).await;
    let outcome = match outcome {
        Ok(()) => compare(&script, &mut stage).await,
        failed => failed,
    };
    stage.stop().await;
    outcome.map_err(|problem| format!("{problem}\n{}", stage.transcript()))
}

/// The peers that a plugin may talk to.
struct Peers {
    tcp: Peer,
    page: Peer,
    udp: UdpPeer,
    port: u16,
}

impl Peers {
    async fn new() -> Self {
        Self {
            tcp: Peer::new().await,
            page: Peer::new().await,
            udp: UdpPeer::new().await,
            port: free_port(),
        }
    }

    fn ports(&self) -> Ports {
        Ports {
            peer: self.tcp.address().port(),
            udp: self.udp.port(),
            port: self.port,
        }
    }
}

async fn act(
    case: &Case,
    script: &Script,
    peers: &mut Peers,
    stage: &mut Stage,
) -> Result<(), String> {
    start(case, script, stage).await;
    // Each wait looks behind the line that the one before has found.
    let mut place = 0;
    for step in &script.steps {
        match step {
            Step::Wait(text) => place = stage.line_from(place, text).await?,
            Step::Seen(text) => {
                stage.line_from(0, text).await?;
            }
            Step::Get {
                query,
                answer,
                absent,
            } => ask(stage, query, answer, absent).await?,
            Step::Prefer { key, text, number } => {
                stage.prefer(key, text, *number).await;
                stage.tell_settings().await;
            }
            Step::Peer(action) => play(&mut peers.tcp, action, script.tls).await?,
            Step::Page(action) => browse(&mut peers.page, action, stage.address()).await?,
            Step::Udp(Datagram::Send { to, text }) => peers.udp.send(*to, text.as_bytes()).await?,
            Step::Udp(Datagram::Expect(text)) => peers.udp.expect(text.as_bytes()).await?,
            Step::Stop => stage.stop().await,
            Step::Restart => {
                stage.stop().await;
                start(case, script, stage).await;
            }
        }
    }
    Ok(())
}

async fn start(case: &Case, script: &Script, stage: &mut Stage) {
    let sections = script.sections();
    if let Some(plugins) = case.plugins() {
        return stage.start_found(&sections, &plugins).await;
    }
    let sections: Vec<_> = sections
        .into_iter()
        .map(|section| (section, case.folder.clone()))
        .collect();
    stage.start(&sections).await;
}

async fn ask(
    stage: &Stage,
    query: &str,
    parts: &[String],
    absent: &[String],
) -> Result<(), String> {
    let answer = stage.json(query).await;
    let has = |part: &&String| answer.contains(part.as_str());
    if let Some(part) = parts.iter().find(|part| !has(part)) {
        return Err(format!("no {part} in the answer to {query}: {answer}"));
    }
    match absent.iter().find(has) {
        None => Ok(()),
        Some(part) => Err(format!("{part} in the answer to {query}: {answer}")),
    }
}

async fn play(peer: &mut Peer, action: &Action, tls: bool) -> Result<(), String> {
    match action {
        Action::Accept => peer.accept(tls).await,
        Action::Connect(port) => peer.connect(*port).await,
        Action::Send(text) => peer.send(text.as_bytes()).await,
        Action::SendHex(digits) => peer.send(&bytes(digits)?).await,
        Action::Expect(text) => peer.expect(text.as_bytes()).await,
        Action::ExpectHex(digits) => peer.expect(&bytes(digits)?).await,
        Action::Contains(parts) => {
            for part in parts {
                peer.contains(part.as_bytes()).await?;
            }
            Ok(())
        }
        Action::Closed => peer.closed().await,
        Action::Close => {
            peer.close();
            Ok(())
        }
    }
}

async fn browse(page: &mut Peer, action: &PageAction, api: SocketAddr) -> Result<(), String> {
    match action {
        PageAction::Open => {
            page.connect(api.port()).await?;
            let request = format!(
                "GET /json HTTP/1.1\r\nHost: {api}\r\nOrigin: http://{api}\r\n\
                 Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Protocol: domoticz\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            );
            page.send(request.as_bytes()).await?;
            page.contains(b"HTTP/1.1 101 ").await?;
            page.contains(b"\r\n\r\n").await
        }
        PageAction::Send(text) => page.send(&text_frame(text)).await,
        PageAction::Contains(parts) => {
            for part in parts {
                page.contains(part.as_bytes()).await?;
            }
            Ok(())
        }
        PageAction::Close => {
            page.close();
            Ok(())
        }
    }
}

/// A text in a frame of a client, with a mask that changes nothing.
fn text_frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u8::try_from(text.len()) {
        Ok(length @ 0..=125) => frame.push(0x80 | length),
        _ => {
            let length = u16::try_from(text.len()).expect("a text of less than 64 KiB");
            frame.push(0xfe);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

async fn compare(script: &Script, stage: &mut Stage) -> Result<(), String> {
    let mut place = 0;
    for text in &script.log {
        place = stage.line_from(place, text).await?;
    }
    for text in &script.absent {
        if stage.said(text) {
            return Err(format!("a line with {text:?}"));
        }
    }
    Ok(())
}
