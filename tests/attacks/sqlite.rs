//! SQLite inside the component: the limits hold in compiled C as they do in Python.

use crate::attack::Attack;
use crate::scene::FLAT;

/// Above the snapshot of the interpreter, which is about 60 MiB.
const MEMORY: &str = "memory = 100663296";

/// The plugin may use what it was given.
const OWN: u64 = 96 << 20;

trips! {
    /// SQLite runs it without a line of Python.
    a_query_that_never_ends_is_ended: "callback-cpu" => Attack::new("
import sqlite3
def attack():
    endless = 'with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n'
    sqlite3.connect(':memory:').execute(endless)
").limits("callback-cpu = 300");

    a_database_in_memory_ends_at_the_limit: "memory" => Attack::new("
import sqlite3
def attack():
    con = sqlite3.connect(':memory:')
    con.execute('create table t(b)')
    while True: con.execute('insert into t values (zeroblob(1000000))')
").limits(MEMORY).flat(OWN + FLAT);

    /// The plugin sees SQLite's own error, and its data as it was before.
    a_database_that_grows_meets_the_quota: "data-bytes" => Attack::new("
import sqlite3
def attack():
    con = sqlite3.connect('/data/full.db')
    con.execute('create table t(b)')
    try:
        while True:
            with con: con.execute('insert into t values (zeroblob(100000))')
    except sqlite3.OperationalError as error:
        Domoticz.Log('%s: %s.' % (error.sqlite_errorname, error))
    rows, check = con.execute('select count(*) from t').fetchone()[0], con.execute('pragma integrity_check')
    Domoticz.Log('%s, %s.' % (rows > 5, check.fetchone()[0]))
").limits("data-bytes = 1000000").says(&["SQLITE_FULL: database or disk is full.", "True, ok."]);
}
