//! Echo requests: their rate, and how many wait at once.

use crate::attack::Attack;

trips! {
    echo_requests_beyond_the_limit_are_refused: "echoes" => Attack::new("
import cordon_icmp
def attack():
    refused = 0
    for n in range(100):
        try: cordon_icmp.ping('127.0.0.1', timeout=0.2)
        except BlockingIOError: refused += 1
        except OSError: pass
    Domoticz.Log('refused some %r.' % (60 < refused < 100))
").limits("echoes = 2").config("grants = { icmp = [\"127.0.0.1\"] }").says(&["refused some True."]);
}
