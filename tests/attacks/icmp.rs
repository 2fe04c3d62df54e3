//! Echo requests: their rate, and how many wait at once.

use crate::attack::Attack;

trips! {
    echo_requests_of_a_connection_beyond_the_limit_are_refused: "echoes" => Attack::new("
def attack():
    global c
    c = Domoticz.Connection(Name='c', Transport='ICMP/IP', Protocol='ICMP', Address='127.0.0.1')
    c.Listen()
    Domoticz.Heartbeat(1)
def onMessage(Connection, Data): pass
def onHeartbeat():
    for n in range(10): c.Send(b'x' * 100000)
").limits("echoes = 1").config("grants = { icmp = [\"127.0.0.1\"] }");

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
