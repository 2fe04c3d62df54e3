//! `sqlite3` in the component: databases in the plugin's folders, threads, and the
//! edges of SQLite's reach.

use crate::support::{Bench, PluginText};

/// Runs `check()` of the source in `onStart` and waits for its result.
async fn checked(bench: &mut Bench, name: &str, source: &str, config: &str) -> String {
    let source = format!(
        "import os, sqlite3, threading, time, traceback
HERE = '/data/'
def raised(call, *arguments):
    try:
        call(*arguments)
    except Exception as error:
        return '%s: %s' % (type(error).__name__, error)
    return 'nothing'
{source}
def onStart():
    try:
        Domoticz.Log('result %s end' % (check(),))
    except Exception:
        Domoticz.Error('result ' + traceback.format_exc() + ' end')
"
    );
    let plugin = PluginText {
        name,
        source: &source,
        config,
    };
    bench.start(plugin).await;
    let line = bench.line(&format!("{name}: result ")).await;
    let (_, result) = line.split_once("result ").expect("found above");
    result
        .strip_suffix(" end")
        .expect("a whole line")
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_keeps_its_data_in_a_database() {
    let source = "
import datetime
def check():
    con = sqlite3.connect(HERE + 'a.db', detect_types=sqlite3.PARSE_DECLTYPES)
    con.row_factory = sqlite3.Row
    con.execute('create table log(at timestamp, name text, value real, raw blob)')
    now = datetime.datetime(2026, 11, 21, 8, 30)
    with con:
        con.executemany('insert into log values (?, ?, ?, ?)',
                        [(now, 'n%d' % n, n / 2, bytes([n])) for n in range(200)])
    assert con.total_changes == 200 and not con.in_transaction
    row = con.execute('select * from log where name = :name', {'name': 'n7'}).fetchone()
    assert (row['VALUE'], row[3], row['at'], row.keys()) == (
        3.5, b'\\x07', now, ['at', 'name', 'value', 'raw']), tuple(row)
    try:
        with con:
            con.execute('delete from log')
            1 / 0
    except ZeroDivisionError: pass
    con.create_function('twice', 1, lambda n: n * 2)
    class Longest:
        def __init__(self): self.best = ''
        def step(self, text): self.best = max(self.best, text, key=len)
        def finalize(self): return self.best
    con.create_aggregate('longest', 1, Longest)
    con.create_collation('backwards', lambda a, b: (a < b) - (a > b))
    first = con.execute('select name from log order by name collate backwards limit 1').fetchone()[0]
    copy = sqlite3.connect(':memory:')
    con.backup(copy)
    dump = len(list(con.iterdump()))
    con.close()
    con = sqlite3.connect('file:' + HERE + 'a.db?mode=ro', uri=True)
    return (con.execute('select count(*), max(value) from log').fetchone(),
            copy.execute('select count(*) from log').fetchone()[0], first, dump,
            raised(con.execute, 'delete from log'))
";
    let mut bench = Bench::new();
    let result = checked(&mut bench, "Keeper", source, "").await;
    let wanted =
        "((200, 99.5), 200, 'n99', 203, 'OperationalError: attempt to write a readonly database')";
    assert_eq!(result, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_two_threads_take_turns_on_a_file() {
    // The second waits in SQLite while the first sleeps in a transaction, so the
    // plugin's other threads must go on while it waits.
    let source = "
def check():
    order = []
    con = sqlite3.connect(HERE + 'turns.db')
    con.execute('create table t(n)')
    con.execute('insert into t values (1)')
    def second():
        other = sqlite3.connect(HERE + 'turns.db', timeout=20)
        order.append('asks')
        other.execute('update t set n = n * 10')
        order.append('has it')
        other.commit()
    thread = threading.Thread(target=second)
    thread.start()
    while not order: time.sleep(0.01)
    time.sleep(0.3)
    order.append('gives up')
    con.execute('update t set n = n + 1')
    con.commit()
    thread.join()
    impatient = sqlite3.connect(HERE + 'turns.db', timeout=0)
    con.execute('update t set n = 0')
    return order, con.execute('select n from t').fetchone(), raised(impatient.execute, 'update t set n = 5')
";
    let mut bench = Bench::new();
    let result = checked(&mut bench, "Turns", source, "").await;
    let wanted = "(['asks', 'gives up', 'has it'], (0,), 'OperationalError: database is locked')";
    assert_eq!(result, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_take_turns_on_one_connection() {
    // A function that sleeps lets other threads run in the middle of a statement.
    let source = "
def check():
    con = sqlite3.connect(':memory:', check_same_thread=False)
    inside, most = [0], [0]
    def slow(n):
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.002)
        inside[0] -= 1
        return n + con.execute('select 1').fetchone()[0]
    con.create_function('slow', 1, slow)
    con.execute('create table t(n)')
    sums = []
    def work(start):
        rows = con.execute('with recursive c(i) as (select ? union all select i + 1 from c limit 20) '
                           'select slow(i) from c', (start,)).fetchall()
        con.executemany('insert into t values (?)', rows)
        sums.append(sum(row[0] for row in rows))
    threads = [threading.Thread(target=work, args=(n * 100,)) for n in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    strict = sqlite3.connect(':memory:')
    told = []
    thread = threading.Thread(target=lambda: told.append(raised(strict.execute, 'select 1')))
    thread.start()
    thread.join()
    return (most[0], sorted(sums), con.execute('select count(*), sum(n) from t').fetchone(),
            told[0].split(' The ')[0])
";
    let mut bench = Bench::new();
    let result = checked(&mut bench, "Shared", source, "").await;
    let wanted = "(1, [210, 2210, 4210, 6210], (80, 12840), 'ProgrammingError: SQLite objects created in a \
                  thread can only be used in that same thread.')";
    assert_eq!(result, wanted);
}

/// SQLite calls Python while it reads a database from bytes. Whoever waits there lets a thread run
/// that writes to the same bytes.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_sqlite_reads_may_change_in_another_thread() {
    let source = "
def check():
    def wait(*args):
        time.sleep(0.002)
        return 0
    con = sqlite3.connect(':memory:')
    con.execute('create table t(b)')
    con.execute('insert into t values (zeroblob(100000))')
    con.commit()
    image = bytearray(con.serialize())
    over, writes = threading.Event(), []
    def change():
        while not over.is_set():
            image[-1] = len(writes) & 1
            writes.append(1)
            time.sleep(0.0005)
    thread = threading.Thread(target=change)
    thread.start()
    copy = sqlite3.connect(':memory:')
    for one in (con, copy):
        one.set_authorizer(wait)
        one.set_progress_handler(wait, 1)
    copy.deserialize(image)
    with con.blobopen('t', 'b', 1) as blob:
        blob.write(image[:5000])
        blob.seek(0)
        read = blob.read(15)
    over.set()
    thread.join()
    return copy.execute('select length(b) from t').fetchone(), read, len(writes) > 1
";
    let mut bench = Bench::new();
    let result = checked(&mut bench, "Changing", source, "").await;
    assert_eq!(result, "((100000,), b'SQLite format 3', True)");
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_reaches_what_open_reaches() {
    let source = "
def check():
    own = sqlite3.connect(HERE + 'own.db')
    results = [raised(sqlite3.connect, path) for path in ('/etc/passwd', '/data/../outside.db', '/nowhere/x.db')]
    results.append(raised(own.execute, \"attach '/etc/passwd' as p\"))
    results.append(raised(own.execute, \"vacuum into '/plugin/stolen.db'\"))
    results.append(raised(own.load_extension, '/data/x.so'))
    results.append(raised(own.execute, \"select load_extension('/data/x.so')\"))
    return results
";
    let mut bench = Bench::new();
    let result = checked(&mut bench, "Reach", source, "").await;
    let wanted = "['OperationalError: unable to open database file', \
                  'OperationalError: unable to open database file', \
                  'OperationalError: unable to open database file', \
                  'OperationalError: unable to open database: /etc/passwd', \
                  'OperationalError: unable to open database: /plugin/stolen.db', \
                  \"NotSupportedError: extensions cannot be loaded: a plugin's SQLite runs inside its component\", \
                  'OperationalError: no such function: load_extension']";
    assert_eq!(result, wanted);
    assert!(!bench.plugin_folder("Reach").join("stolen.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_beside_the_plugin_can_be_read() {
    let mut bench = Bench::new();
    let folder = bench.plugin_folder("Beside");
    std::fs::create_dir_all(&folder).expect("the folder is made");
    let made = std::process::Command::new("sqlite3")
        .arg(folder.join("codes.db"))
        .arg("create table codes(name, code); insert into codes values ('power', 42);")
        .status()
        .expect("the sqlite3 program is installed");
    assert!(made.success());
    let source = "
def check():
    con = sqlite3.connect('/plugin/codes.db')
    row = con.execute('select * from codes').fetchone()
    return row, raised(con.execute, 'delete from codes')
";
    let result = checked(&mut bench, "Beside", source, "").await;
    let wanted = "(('power', 42), 'OperationalError: attempt to write a readonly database')";
    assert_eq!(result, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_modes_that_need_shared_memory_are_not_taken() {
    let source = "
def check():
    con = sqlite3.connect(HERE + 'wal.db')
    modes = [con.execute('pragma journal_mode=' + mode).fetchone()[0]
             for mode in ('wal', 'truncate', 'memory')]
    con.execute('create table t(n)')
    con.execute('pragma locking_mode=exclusive')
    modes.append(con.execute('pragma journal_mode=wal').fetchone()[0])
    con.execute('insert into t values (1)')
    con.commit()
    con.execute('pragma temp_store=memory')
    con.execute('create temp table u as select * from t')
    con.close()
    return modes, sorted(os.listdir(HERE))
";
    let mut bench = Bench::new();
    let result = checked(&mut bench, "Modes", source, "").await;
    assert_eq!(
        result,
        "(['delete', 'truncate', 'memory', 'wal'], ['wal.db'])"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_whole_and_unlocked_after_the_plugin_was_ended() {
    // It is ended in the middle of a transaction, with pages in the file already.
    let source = "
def check():
    found = os.path.exists(HERE + 'cut.db')
    con = sqlite3.connect(HERE + 'cut.db')
    con.execute('create table if not exists t(n, b)')
    rows = con.execute('select count(*) from t').fetchone()[0]
    if found:
        con.execute('insert into t values (2, 2)')
        con.commit()
        return found, rows, con.execute('pragma integrity_check').fetchone()[0], os.listdir(HERE)
    con.execute('insert into t values (1, 1)')
    con.commit()
    con.execute('pragma cache_size=5')
    for n in range(200): con.execute('insert into t values (?, zeroblob(5000))', (n,))
    while True: pass
";
    let mut bench = Bench::new();
    let limits = "limits = { callback-cpu = 2000 }";
    let result = checked(&mut bench, "Cut", source, limits).await;
    assert_eq!(result, "(True, 1, 'ok', ['cut.db'])");
    bench.seen_line("limit callback-cpu").expect("it was ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn time_and_entropy_are_the_hubs() {
    let source = "
def check():
    con = sqlite3.connect(':memory:')
    local = con.execute(\"select strftime('%Y-%m-%d %H', 1700000000, 'unixepoch', 'localtime')\").fetchone()[0]
    draws = {con.execute('select hex(randomblob(16))').fetchone()[0] for n in range(3)}
    return local == time.strftime('%Y-%m-%d %H', time.localtime(1700000000)), len(draws), draws
";
    let mut bench = Bench::new();
    let one = checked(&mut bench, "One", source, "").await;
    let two = checked(&mut bench, "Two", source, "").await;
    assert!(
        one.starts_with("(True, 3, ") && two.starts_with("(True, 3, "),
        "{one} {two}"
    );
    assert_ne!(one, two);
}
