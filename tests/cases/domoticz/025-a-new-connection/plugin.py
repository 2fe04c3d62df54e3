"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz

def onStart():
    conn = Domoticz.Connection("n", "TCP/IP")
    Domoticz.Log(str(conn))
    Domoticz.Log("%s %s %s %s %s" % (conn.Connected(), conn.Connecting(), conn.BytesTransferred(),
                                     conn.LastSeen(), conn.Target))
    try:
        Domoticz.Connection("n", "TCP/IP", Port=80)
    except Exception as failure:
        Domoticz.Log("port: %s" % type(failure).__name__)
