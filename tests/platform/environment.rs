//! Facts that a plugin learns about its environment.

use crate::probe::all_hold;
use crate::support::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn the_system_looks_like_a_small_linux_box() {
    let source = r#"
import getpass, os, platform, sys

@case
def environment():
    assert os.environ['MINE'] == 'yes' and os.environ['LANG'] == 'nl_NL.UTF-8'
    assert os.environ['HOME'] == '/data' and os.environ['TMPDIR'] == '/tmp'
    assert os.path.expanduser('~/x') == '/data/x'
    assert not {'CARGO_TARGET_DIR', 'CORDON_CACHE'} & set(os.environ)

@case
def names_of_the_system():
    assert sys.platform == 'linux' and os.name == 'posix'
    assert platform.system() == 'Linux' == os.uname().sysname
    assert platform.machine() and platform.release() and platform.version() and platform.node()
    assert platform.python_version() == '.'.join(map(str, sys.version_info[:3]))
    assert platform.platform().startswith('Linux-'), platform.platform()
    assert platform.architecture()[0] == '32bit' and platform.uname().system == 'Linux'

@case
def paths_of_the_interpreter():
    assert __file__ == '/plugin/plugin.py' and sys.path[0] == '/plugin/'
    assert sys.argv == [''] and sys.executable == '/usr/local/bin/python3'
    assert sys.prefix == sys.base_prefix
    import site, sysconfig
    assert sysconfig.get_paths()['purelib'] and sysconfig.get_platform() == 'linux-wasm32'

@case
def users_and_processes():
    import grp, pwd, resource
    assert getpass.getuser() == os.getlogin() == pwd.getpwuid(os.getuid()).pw_name
    assert grp.getgrgid(os.getgid()).gr_name and os.getpid() > 0
    assert os.cpu_count() == 1 and len(os.getloadavg()) == 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime > 0
    os.umask(os.umask(0o22)); os.times()
"#;
    let mut bench = Bench::new();
    let config = "environment = { MINE = \"yes\", LANG = \"nl_NL.UTF-8\" }";
    all_hold(&mut bench, "Where", source, config).await;
}
