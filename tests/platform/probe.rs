//! Runs a plugin that reports its findings, for tests of modules that can be imported and
//! called.

use crate::support::{Bench, PluginText};

/// Calls each case of the plugin's `CASES` and logs `NAME ok` or the exception.
const RUN: &str = "
def onStart():
    import traceback
    for case in CASES:
        try:
            case()
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            Domoticz.Log('case %s FAILED: %s: %s (%s:%s)' % (
                case.__name__, type(error).__name__, error, where.filename, where.lineno))
        else:
            Domoticz.Log('case %s ok' % case.__name__)
    Domoticz.Log('cases done')
CASES = []
def case(function):
    CASES.append(function)
    return function
def raises(kind, words, call):
    try:
        call()
    except kind as error:
        assert words in str(error), error
    else:
        raise AssertionError('%s was not refused' % words)
";

/// Asserts that every case of this source holds.
pub async fn all_hold(bench: &mut Bench, name: &str, source: &str, config: &str) {
    let source = format!("{RUN}{source}");
    bench
        .start(PluginText {
            name,
            source: &source,
            config,
        })
        .await;
    bench.line(&format!("{name}: cases done")).await;
    let transcript = bench.transcript();
    assert!(!transcript.contains("FAILED"), "{transcript}");
    let held = transcript.matches(" ok").count();
    assert!(held >= source.matches("\n@case").count(), "{transcript}");
}
