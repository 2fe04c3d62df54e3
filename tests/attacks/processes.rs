//! Processes that a plugin may start: their number, time, output, and their end.

use std::time::Duration;

use crate::attack::Attack;
use crate::scene::{FLAT, Scene, until};

const SHELL: &str = "grants = { exec = [\"/bin/sh\", \"/bin/sleep\"] }";

trips! {
    processes_beyond_the_limit_are_refused: "processes" => Attack::new("
import subprocess
def attack():
    started = []
    for n in range(8):
        try: started.append(subprocess.Popen(['sleep', '600']))
        except BlockingIOError as error: Domoticz.Log('refused: %s.' % error.strerror)
    Domoticz.Log('%d started.' % len(started))
    for process in started: process.kill()
    for process in started: process.wait()
    Domoticz.Log('again %r.' % subprocess.call(['sleep', '0']))
").limits("processes = 3").config(SHELL).says(&["refused: ", "3 started.", "again 0."]);

    a_process_that_never_ends_is_killed: "process-time" => Attack::new("
import subprocess
def attack():
    Domoticz.Log('ended with %d.' % subprocess.call('sleep 600 & sleep 600', shell=True))
").limits("process-time = 700").config(SHELL).says(&["ended with -9."]);

    a_process_that_prints_for_ever_is_killed: "process-output" => Attack::new("
import subprocess
def attack():
    process = subprocess.Popen('while :; do echo 0123456789012345678901234567890123456789; done',
        shell=True, stdout=subprocess.PIPE)
    total = 0
    while data := process.stdout.read1(65536): total += len(data)
    Domoticz.Log('ended with %d.' % process.wait())
    Domoticz.Log('bounded %r.' % (total < 400000))
").limits("process-output = 300000").config(SHELL).says(&["ended with -9.", "bounded True."]);
}

/// Variables that make another program of a program are as many as programs are.
#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_no_grant_names_is_withheld() {
    let mut scene = Scene::new().await;
    let source = "
import subprocess
ASKED = {'OPENSSL_CONF': 'openssl.cnf', 'HOME': '/data', 'CURL_HOME': '/data', 'LC_ALL': 'C', 'TZ': '/data/zone',
    'LD_PRELOAD': './evil.so', 'http_proxy': 'x'}
def onStart():
    for program in '/usr/bin/env', '/usr/bin/printenv':
        told = subprocess.check_output([program], env=ASKED, text=True).split()
        Domoticz.Log('%s %s.' % (program, sorted(line.split('=')[0] for line in told)))
";
    let config = "grants = { exec = [\"/usr/bin/env\", \
        { program = \"/usr/bin/printenv\", env = [\"http_proxy\", \"HOME\"] }] }";
    scene.attack(source, config).await;
    scene.said("/usr/bin/env ['LANG', 'LC_ALL', 'PATH'].").await;
    scene
        .said("/usr/bin/printenv ['HOME', 'LANG', 'LC_ALL', 'PATH', 'http_proxy'].")
        .await;
    let line = scene.bench.seen_line("setting variables").unwrap();
    let grant = "write `{ program = \"/usr/bin/env\", env = [\"OPENSSL_CONF\", \"CURL_HOME\", \"TZ\", \
        \"http_proxy\"] }` for the program in `exec`";
    assert!(line.contains(grant), "{line}");
    scene.finish(FLAT).await;
}

/// Processes whose command line has this word.
fn alive(word: &str) -> usize {
    let has = |entry: std::io::Result<std::fs::DirEntry>| {
        let line = std::fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        String::from_utf8_lossy(&line).contains(word).then_some(())
    };
    std::fs::read_dir("/proc").unwrap().filter_map(has).count()
}

/// Children of the program, and those that were left when it ended, go with it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_has_forked_ends_with_it_and_with_the_instance() {
    let mut scene = Scene::new().await;
    let source = "
import subprocess
def onStart():
    subprocess.call('sleep 3456701 & sleep 3456701 & exit 0', shell=True)
    subprocess.Popen('sleep 3456702 & sleep 3456702; true', shell=True)
    Domoticz.Log('started.')
";
    scene.attack(source, SHELL).await;
    scene.said("started.").await;
    until("the orphans are gone", || alive("3456701") == 0).await;
    until("the others run", || alive("3456702") > 0).await;
    scene.bench.hub.stop().await;
    until("nothing is left", || alive("3456702") == 0).await;
}

/// Nobody reads: the process waits for the plugin, the hub holds nothing.
#[tokio::test(flavor = "multi_thread")]
async fn output_that_nobody_reads_stays_with_the_process() {
    let mut scene = Scene::new().await;
    let source = "
import subprocess
def onStart():
    global process
    process = subprocess.Popen('while :; do echo 0123456789; done', shell=True, stdout=subprocess.PIPE)
    Domoticz.Log('started.')
";
    scene.attack(source, SHELL).await;
    scene.said("started.").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    scene.finish(FLAT).await;
}
