//! The data folder and open files.

use crate::attack::Attack;

/// Writes until it is refused and says so.
const WRITE: &str = "
import errno
def until_refused(what, step):
    try:
        for n in range(100000): step(n)
        Domoticz.Log(what + ' was never refused.')
    except OSError as error:
        Domoticz.Log('%s: %s.' % (what, errno.errorcode.get(error.errno, error.errno)))
";

fn attack(source: &str) -> Attack {
    Attack::new(&format!("{WRITE}{source}"))
}

trips! {
    writing_for_ever_is_refused: "data-bytes" => attack("
def attack():
    with open('/data/big', 'wb', buffering=0) as file:
        until_refused('write', lambda n: file.write(bytes(1000)))
    os.unlink('/data/big')
    with open('/data/again', 'wb') as file: file.write(bytes(1000))
").limits("data-bytes = 20000").says(&["write: ENOSPC."]);

    holes_count_like_data: "data-bytes" => attack("
def attack():
    with open('/data/hole', 'wb') as file:
        until_refused('truncate', lambda n: file.truncate(1 << (n + 1)))
").limits("data-bytes = 20000").says(&["truncate: ENOSPC."]);

    temporary_files_count_like_data: "data-bytes" => attack("
def attack():
    with open('/tmp/big', 'wb', buffering=0) as file:
        until_refused('write', lambda n: file.write(bytes(1000)))
    os.unlink('/tmp/big')
").limits("data-bytes = 20000").says(&["write: ENOSPC."]);

    changes_of_the_plugin_folder_count_like_data: "data-bytes" => attack("
def attack():
    with open('/plugin/big', 'wb', buffering=0) as file:
        until_refused('write', lambda n: file.write(bytes(1000)))
    os.unlink('/plugin/big')
").limits("data-bytes = 20000").config("plugin-folder = 'copy-on-write'").says(&["write: ENOSPC."]);

    changed_files_count_like_files: "data-files" => attack("
def attack():
    until_refused('open', lambda n: open('/plugin/f%d' % n, 'w').close())
    Domoticz.Log('%d names.' % len(os.listdir('/plugin')))
").limits("data-files = 5").config("plugin-folder = 'copy-on-write'").says(&["open: ENOSPC."]);

    files_beyond_the_limit_are_refused: "data-files" => attack("
def attack():
    until_refused('open', lambda n: open('/data/f%d' % n, 'w').close())
    Domoticz.Log('%d files.' % len(os.listdir('/data')))
").limits("data-files = 5").says(&["open: ENOSPC.", "5 files."]);

    folders_are_files: "data-files" => attack("
def attack(): until_refused('mkdir', lambda n: os.mkdir('/data/d%d' % n))
").limits("data-files = 5").says(&["mkdir: ENOSPC."]);

    open_files_are_bounded: "handles" => attack("
def attack():
    files = []
    until_refused('open', lambda n: files.append(open('/plugin/plugin.py')))
    for file in files: file.close()
    open('/plugin/plugin.py').close()
").limits("handles = 16");
}
