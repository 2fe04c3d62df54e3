//! `subprocess`, `os.system`, `os.popen`: programs of the machine, under `exec`.

use crate::support::{Bench, PluginText};

/// Runs `source`, which defines `main()`, and waits for `done`.
async fn run(bench: &mut Bench, name: &str, source: &str, grants: &str) {
    let source = format!(
        "
import os, shutil, subprocess, threading, time
{source}
def onStart():
    main()
    Domoticz.Log('done.')
"
    );
    let config = format!("grants = {{ {grants} }}");
    bench
        .start(PluginText {
            name,
            source: &source,
            config: &config,
        })
        .await;
    bench.line(&format!("{name}: done.")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_grant_nothing_runs_and_the_error_names_it() {
    let mut bench = Bench::new();
    let source = "
def attempt(name, act):
    try: Domoticz.Log('%s ran: %r.' % (name, act()))
    except OSError as e: Domoticz.Log('%s: %s %s.' % (name, type(e).__name__, e.strerror))
def main():
    attempt('run', lambda: subprocess.run(['/usr/bin/uptime']))
    attempt('system', lambda: os.system('uptime | cat'))
    attempt('plain', lambda: os.system('uptime -p > /dev/null 2>&1'))
    attempt('popen', lambda: os.popen('uptime').read())
    attempt('ping', lambda: subprocess.check_output(['ping', '-c1', 'x']))
    attempt('fork', lambda: os.fork())
    attempt('execv', lambda: os.execv('/bin/sh', ['sh']))
    attempt('kill', lambda: os.kill(1, 9))
    Domoticz.Log('which %r.' % shutil.which('uptime'))
";
    run(&mut bench, "Denied", source, "").await;
    let expected = [
        "run: PermissionError denied: running the program /usr/bin/uptime; to allow it, \
         add `exec = [\"/usr/bin/uptime\"]` under [hardware.grants] of the [[hardware]] with name = \"Denied\"",
        "system: PermissionError denied: running the program /bin/sh; to allow it, add \
         `exec = [\"/bin/sh\"]`",
        "plain: PermissionError denied: running the program uptime;",
        "popen: PermissionError denied: running the program uptime;",
        "`icmp = [\"HOST\"]`",
        "fork: OSError os.fork is not available",
        "execv: OSError os.execv is not available",
        "kill: ProcessLookupError",
        "which None.",
    ];
    for line in expected {
        bench.line(line).await;
    }
    assert!(bench.seen_line(" ran: ").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_for_exactly_the_program_that_it_names() {
    let mut bench = Bench::new();
    let source = "
def main():
    print('out', subprocess.check_output(['echo', 'a b', '$HOME']))
    print('path', subprocess.run(['/usr/bin/echo', 'x'], capture_output=True, text=True).stdout)
    print('plain', os.popen('echo one \"two three\"').read())
    print('which', shutil.which('echo'))
    for program in ('/bin/sh', '/usr/bin/env', 'env'):
        try: subprocess.run([program])
        except PermissionError as e: print('refused', program)
    try: subprocess.run(['/usr/bin/env'], executable='/usr/bin/env')
    except PermissionError as e: print('refused executable')
";
    let grants = "exec = [\"/usr/bin/echo\"]";
    run(&mut bench, "Echo", source, grants).await;
    for line in [
        "out b'a b $HOME\\n'",
        "path x",
        "plain one two three",
        "which /usr/bin/echo",
        "refused /bin/sh",
        "refused /usr/bin/env",
        "refused env",
        "refused executable",
    ] {
        bench.line(line).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subprocess_behaves() {
    let mut bench = Bench::new();
    let source = r#"
def main():
    r = subprocess.run('echo out; echo err >&2; exit 3', shell=True, capture_output=True, text=True)
    print('run', r.returncode, repr(r.stdout), repr(r.stderr))
    try: subprocess.check_call('exit 4', shell=True)
    except subprocess.CalledProcessError as e: print('check_call', e.returncode)
    print('call', subprocess.call(['sh', '-c', 'exit 5']))
    print('merged', subprocess.check_output('echo a; echo b >&2', shell=True, stderr=subprocess.STDOUT))
    print('input', subprocess.run(['cat'], input='hällo', text=True, stdout=subprocess.PIPE).stdout)
    big = os.urandom(300000)
    print('big', subprocess.run(['cat'], input=big, stdout=subprocess.PIPE).stdout == big)
    print('both', [len(x) for x in subprocess.Popen('head -c 200000 /dev/zero; head -c 100000 /dev/zero >&2',
        shell=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE).communicate()])
    try: subprocess.run(['sleep', '60'], timeout=0.3)
    except subprocess.TimeoutExpired as e: print('timeout', e.timeout)
    p = subprocess.Popen(['sleep', '60'])
    print('poll', p.poll()); p.terminate(); print('terminated', p.wait(), p.returncode)
    p = subprocess.Popen(['sleep', '60']); os.kill(p.pid, 9); print('waitpid', os.waitpid(p.pid, 0)[1])
    p = subprocess.Popen('for i in 1 2 3; do read x; echo got $x; done', shell=True, text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    said = []
    for word in ('eins', 'zwei', 'drei'):
        p.stdin.write(word + '\n'); p.stdin.flush()
        said.append(p.stdout.readline().strip())
    print('talk', said, p.wait())
    p = subprocess.Popen('while true; do echo tick; sleep 0.05; done', shell=True, stdout=subprocess.PIPE)
    ticks = [line for line, _ in zip(p.stdout, range(3))]
    p.kill(); print('stream', ticks, p.wait())
    print('system', os.system('exit 6') >> 8)
    print('popen', repr(os.popen('echo hi').read()), os.popen('exit 7').close())
    print('getstatusoutput', subprocess.getstatusoutput('echo x; exit 1'))
    with open('/data/out.txt', 'wb') as f: subprocess.run('echo to file', shell=True, stdout=f)
    print('file', open('/data/out.txt').read().strip())
    with open('/data/out.txt') as f: print('from', subprocess.check_output(['cat'], stdin=f))
    a = subprocess.Popen('echo chained', shell=True, stdout=subprocess.PIPE)
    b = subprocess.Popen(['cat'], stdin=a.stdout, stdout=subprocess.PIPE); a.stdout.close()
    print('chain', b.communicate()[0])
    print('cwd', subprocess.check_output('cat out.txt', shell=True))
    try: subprocess.run(['cat'], cwd='/data/none')
    except FileNotFoundError as e: print('no folder', e.filename)
    print('not there', subprocess.getstatusoutput('nothing-of-this-name')[0])
    others = []
    t = threading.Thread(target=lambda: others.append(subprocess.call(['sleep', '0.5'])))
    t.start(); count = 0
    while t.is_alive(): time.sleep(0.05); count += 1
    print('threads', others, count > 3)
    print('broken', subprocess.run(['true'], input=big).returncode)
"#;
    let grants = "exec = [\"/bin/sh\", \"/bin/cat\", \"/bin/sleep\", \"/usr/bin/true\"]";
    run(&mut bench, "Shell", source, grants).await;
    for line in [
        "run 3 'out\\n' 'err\\n'",
        "check_call 4",
        "call 5",
        "merged b'a\\nb\\n'",
        "input hällo",
        "big True",
        "both [200000, 100000]",
        "timeout 0.3",
        "poll None",
        "terminated -15 -15",
        "waitpid 9",
        "talk ['got eins', 'got zwei', 'got drei'] 0",
        "stream [b'tick\\n', b'tick\\n', b'tick\\n'] -9",
        "system 6",
        "popen 'hi\\n' 1792",
        "getstatusoutput (1, 'x')",
        "file to file",
        "from b'to file\\n'",
        "chain b'chained\\n'",
        "cwd b'to file\\n'",
        "no folder /data/none",
        "not there 127",
        "threads [0] True",
        "broken 0",
    ] {
        bench.line(line).await;
    }
}

/// Nothing of the hub reaches a program: no variables, no descriptors.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_a_clean_environment() {
    let mut bench = Bench::new();
    let source = "
def main():
    env = {'LD_PRELOAD': '/x.so', 'BASH_ENV': '/data/x', 'PATH': '/data', 'GREETING': 'hello'}
    print('env', sorted(subprocess.check_output(['env'], env=env, text=True).split()))
    print('none', sorted(subprocess.check_output(['env'], text=True).split()))
    print('files', subprocess.check_output(['ls', '/proc/self/fd'], text=True).split())
";
    let grants = "exec = [{ program = \"/usr/bin/env\", env = [\"GREETING\"] }, \"/bin/ls\"]";
    run(&mut bench, "Clean", source, grants).await;
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let lines = [
        format!("env ['GREETING=hello', 'LANG=C.UTF-8', '{path}']"),
        format!("none ['LANG=C.UTF-8', '{path}']"),
        // The three, and the folder that is being listed.
        "files ['0', '1', '2', '3']".to_owned(),
    ];
    for line in lines {
        bench.line(&line).await;
    }
}

/// Programs see the machine's folders, and paths of the instance mean nothing there.
#[tokio::test(flavor = "multi_thread")]
async fn paths_among_the_arguments_are_those_of_the_machine() {
    let mut bench = Bench::new();
    let folder = bench.plugin_folder("Paths");
    std::fs::create_dir_all(&folder).unwrap();
    let tool = "echo \"$1 $(basename \"$PWD\")\"\n";
    std::fs::write(folder.join("tool.sh"), tool).unwrap();
    let source = "
import tempfile
def main():
    here = Parameters['HomeFolder']
    print('own', subprocess.check_output(['/bin/sh', here + 'tool.sh', 'x y'], cwd=here, text=True).strip())
    print('relative', subprocess.check_output(['/bin/sh', 'tool.sh', 'z'], cwd=here, text=True).strip())
    with tempfile.NamedTemporaryFile('w', suffix='.txt', delete=False) as out: out.write('temporary')
    print('temporary', subprocess.check_output(['/bin/cat', out.name]))
    open('/data/kept.txt', 'w').write('kept')
    print('shell', subprocess.check_output('cat /data/kept.txt; echo made >/tmp/made.txt', shell=True))
    print('made', open('/tmp/made.txt').read().strip())
    os.makedirs('/data/sub'); os.chdir('/data/sub'); open('here.txt', 'w').write('here')
    print('working', subprocess.check_output(['cat', 'here.txt']))
";
    let grants = "exec = [\"/bin/sh\", \"/bin/cat\"]";
    run(&mut bench, "Paths", source, grants).await;
    for line in [
        "own x y Paths",
        "relative z Paths",
        "temporary b'temporary'",
        "shell b'kept'",
        "made made",
        "working b'here'",
    ] {
        bench.line(line).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_nowhere_is_not_found_and_one_elsewhere_is_named() {
    let mut bench = Bench::new();
    let folder = bench.plugin_folder("Nowhere");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("tool"), "#!/bin/sh\necho ran\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.join("tool"), mode).unwrap();
    let source = "
def attempt(name, program):
    try: print(name, subprocess.check_output([program]))
    except OSError as e: print(name, type(e).__name__, e)
def main():
    attempt('own', Parameters['HomeFolder'] + 'tool')
    attempt('missing', '/usr/bin/arp-scan-of-nobody')
    attempt('bare', 'arp-scan-of-nobody')
    attempt('elsewhere', '/usr/local/sbin/env')
    attempt('there', 'env')
    attempt('other', '/etc/passwd')
    os.chdir(Parameters['HomeFolder']); attempt('relative', './tool')
";
    run(&mut bench, "Nowhere", source, "").await;
    for line in [
        "own PermissionError [Errno 13] denied: running the program /plugin/tool; the log of the instance has the line",
        "missing FileNotFoundError",
        "bare FileNotFoundError",
        "elsewhere FileNotFoundError",
        "it is /usr/bin/env",
        "there PermissionError [Errno 13] denied: running the program env; to allow it, add `exec = [\"/usr/bin/env\"]`",
        "other PermissionError",
        "relative PermissionError",
    ] {
        bench.line(line).await;
    }
    let path = folder.canonicalize().unwrap().join("tool");
    let grant = format!("exec = [\"{}\"]", path.display());
    bench.line(&grant).await;
}
