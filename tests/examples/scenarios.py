"""The task of each official example, with its device.

A scenario gets a `Site` and returns the observations, for the table; it raises `Failed` when a step has no effect.
"""

import hashlib
import hmac
import os
import re
import socket
import struct
import time
import zipfile
import zlib

from devices import Broker, Line, Serial, Web, WebSocket
from hub import PATIENCE, Failed

LOCAL = "127.0.0.1"


def base_template(site):
    site.plugin("Base", "BaseTemplate.py", {"Mode6": "62"})
    site.start()
    site.line("Base: onStart called")
    site.line("Base: Device count: 0")
    hardware = site.api(param="gethardware")["result"][0]["idx"]
    made = site.api(
        param="createdevice", idx=hardware, sensorname="Lamp", sensormappedtype="0xF449"
    )
    if made["status"] != "OK":
        raise Failed("createdevice: %s" % made)
    name = next(iter(site.devices()))
    site.switch(name, "On")
    site.line("Base: onCommand called for Device ")
    site.line("Base: onHeartbeat called")
    site.stop()
    site.line("Base: onStop called")
    return "its callbacks are called, onCommand for a device that was made in the hub"


def denon(site):
    def answer(message):
        return {
            "PW?\r": "PWON\rZMON\rSIDVD\rMV45\rMUOFF\r",
            "Z2?\r": "Z2ON\rZ2CD\rZ230\r",
            "MV30\r": "MV30\r",
            "ZM?\r": "ZMON\r",
        }.get(message, "")

    amplifier = Line(b"\r", answer)
    site.plugin(
        "Denon",
        "DenonMarantz.py",
        {
            "Port": str(amplifier.port),
            "Mode1": "Discover",
            "Mode2": "SDKClass=Receiver",
            "Mode6": "Normal",
        },
        'grants = { listen = [9131], network = ["239.255.250.250:9131", "%s:%d"] }'
        % (LOCAL, amplifier.port),
    )
    site.start()
    site.line("Denon: Using auto-discovery mode")
    beacon = b"AMXB<-SDKClass=Receiver><-Make=DENON><-Model=AVR-4306>\r"
    tell(
        site,
        9131,
        beacon,
        "Denon: DENON, AVR-4306 Receiver discovered successfully at address: " + LOCAL,
    )
    amplifier.hear("PW?")
    site.device("Denon - Power", Status="On")
    site.device("Denon - Main Zone", Level=10)
    site.device("Denon - Main Volume", Level=45)
    amplifier.hear("Z2?")
    site.device("Denon - Zone 2", Level=40)
    site.device("Denon - Volume 2", Level=30)
    site.switch("Denon - Main Volume", "Set Level", level=30)
    amplifier.hear("MV30\r")
    site.device("Denon - Main Volume", Level=30)
    site.switch("Denon - Power", "Off")
    amplifier.hear("PWSTANDBY\r")
    amplifier.close()
    return "found by its beacon; power, source, volume and zone 2 become devices; volume and power are commanded"


def tell(site, port, datagram, answer):
    """Sends a datagram again and again, as devices do that want to be found, until the log has the answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        end = time.monotonic() + PATIENCE
        while not site.said(answer):
            if time.monotonic() > end:
                raise Failed("no line with %r" % answer)
            sender.sendto(datagram, (LOCAL, port))
            time.sleep(0.5)


def dlink(site):
    plug = {"on": "true", "logged": False}
    challenge, cookie, public = "CHALLENGE0", "COOKIE0", "PUBLIC0"
    private = (
        hmac.new((public + "secret").encode(), challenge.encode(), hashlib.md5)
        .hexdigest()
        .upper()
        .encode()
    )

    def soap(words):
        return (
            200,
            {"Content-Type": "text/xml"},
            "<?xml version=\"1.0\"?><soap:Body>%s</soap:Body>" % words,
        )

    def answer(method, path, headers, body):
        action = headers["SOAPAction"].strip('"').rsplit("/", 1)[1]
        if action == "Login" and "<Action>request</Action>" in body:
            return soap(
                "<LoginResult>OK</LoginResult><Challenge>%s</Challenge><Cookie>%s</Cookie><PublicKey>%s</PublicKey>"
                % (challenge, cookie, public)
            )
        if action == "Login":
            word = hmac.new(private, challenge.encode(), hashlib.md5).hexdigest().upper()
            plug["logged"] = (
                "<LoginPassword>%s</LoginPassword>" % word in body
                and headers["Cookie"] == "uid=" + cookie
            )
            return soap(
                "<LoginResult>%s</LoginResult>" % ("success" if plug["logged"] else "failed")
            )
        word, stamp = headers["HNAP_AUTH"].split(" ")
        said = (stamp + '"http://purenetworks.com/HNAP1/%s"' % action).encode()
        if not plug["logged"] or word != hmac.new(private, said, hashlib.md5).hexdigest().upper():
            return 400, {}, "not signed"
        if action == "SetSocketSettings":
            plug["on"] = re.search("<OPStatus>(.*)</OPStatus>", body).group(1)
        return soap("<%sResult>OK</%sResult><OPStatus>%s</OPStatus>" % (action, action, plug["on"]))

    server = Web(answer)
    site.plugin(
        "Plug",
        "Dlink DSP-W215.py",
        {
            "Address": LOCAL,
            "Port": str(server.port),
            "Mode1": "Admin",
            "Mode2": "secret",
            "Mode6": "Normal",
        },
    )
    site.start()
    site.line("Plug: Smart plug authentication successful.")
    site.line("Plug: Socket State has changed, Now: TRUE")
    site.device("Plug - Socket 1", Status="On")
    site.switch("Plug - Socket 1", "Off")
    site.line("Plug: Socket State has changed, Now: FALSE")
    site.device("Plug - Socket 1", Status="Off")
    if plug["on"] != "false":
        raise Failed("the plug is still on")
    server.close()
    return "logs in with its challenge, reads the socket's state, switches it off, signed"


def http_listener(site):
    with socket.create_server((LOCAL, 0)) as free:
        port = free.getsockname()[1]
    site.plugin(
        "Listener",
        "HTTP Listener.py",
        {"Port": str(port), "Mode6": "Debug"},
        'grants = { listen = [%d], network = ["%s:%d"] }' % (port, LOCAL, port),
    )
    site.start()
    site.line("Listener: Leaving on start")
    connected = site.place("Listener: Connected successfully to: 127.0.0.1:%d" % port)
    asked = site.place("Listener: GET request received.", connected)
    site.line("'URL':'/page.html'", connected)
    answered = site.place("'Status':'200'", asked)
    site.line("Successful GET!!!", asked)
    posted = site.place("Listener: POST request received.", answered)
    site.line("'Data':'b'param1=value&param2=other+value''", answered)
    site.line("Listener: onDisconnect called for connection 'Client Connection'.", posted)
    return "its client connects to its listener, gets and posts; both arrive with headers and body, the answer too"


def http_client(site):
    def answer(method, path, headers, body):
        if path == "/":
            return 302, {"Location": "/home"}, "moved"
        return 200, {"Content-Type": "text/html", "Set-Cookie": "a=1"}, "<html>at home</html>"

    server = Web(answer)
    site.plugin(
        "Google",
        "HTTP.py",
        {"Address": LOCAL, "Mode1": str(server.port), "Mode6": "62"},
        'grants = { network = ["%s:%d"] }' % (LOCAL, server.port),
    )
    site.start()
    server.hear("GET /")
    site.line("Google: Google returned a Page Moved Error.")
    server.hear("GET /home")
    site.line("Google: >'Data':'b'<html>at home</html>''")
    site.line("Google: Good Response received from Google, Dropping connection.")
    site.line("Google: onDisconnect called for connection to: %s:%d" % (LOCAL, server.port))
    server.close()
    return "follows the redirection, reads the page, drops the connection"


def kodi(site):
    def answer(message):
        number = re.search(r'"id":(\d+)', message)
        result = {
            "1007": '{"canhibernate":true,"canshutdown":true,"cansuspend":false}',
            "1011": '{"muted":false,"volume":55}',
            "1001": '[{"playerid":0,"type":"audio"}]',
            "1003": '{"item":{"type":"song","artist":["Somebody"],"album":"First","title":"A song","label":"A song","year":1999}}',
            "1002": '{"live":false,"percentage":44.5,"speed":1}',
            "1006": '"OK"',
        }.get(number and number.group(1))
        return result and '{"id":%s,"jsonrpc":"2.0","result":%s}' % (number.group(1), result)

    player = Line(b"}", lambda message: None)
    # A request ends where its braces do.
    requests = {"text": ""}

    def collect(piece):
        requests["text"] += piece
        if requests["text"].count("{") != requests["text"].count("}"):
            return ""
        message, requests["text"] = requests["text"], ""
        player.heard.put(message)
        return answer(message)

    player.answer = collect
    folder = site.plugin(
        "Kodi",
        "Kodi.py",
        {
            "Address": LOCAL,
            "Port": str(player.port),
            "Mode1": "Kodi",
            "Mode2": "Shutdown",
            "Mode3": "False",
            "Mode6": "Debug",
        },
    )
    for base in ("Kodi", "KodiBlack", "KodiRound"):
        icons(os.path.join(folder, base + " Icons.zip"), base)
    site.start()
    site.line("Kodi: Devices created.")
    site.line("Kodi: Connected successfully to: ")
    player.hear("System.GetProperties")
    site.device("Kodi - Volume", Level=55)
    site.line("Kodi: Update 5:'Somebody (First) : A song (1999)' (Kodi - Status)")
    site.device("Kodi - Playing", Level=44)
    status = site.device("Kodi - Status", Data="On")
    if int(status["CustomImage"]) <= 100:
        raise Failed("the status has no icon of its own: %s" % status["CustomImage"])
    player.send(
        '{"jsonrpc":"2.0","method":"Application.OnVolumeChanged","params":{"data":{"muted":false,"volume":60}}}'
    )
    site.device("Kodi - Volume", Level=60)
    site.switch("Kodi - Volume", "Set Level", level=20)
    player.hear('"Application.SetVolume","params":{"volume":20}')
    site.switch("Kodi - Status", "Off")
    player.hear("System.Shutdown")
    player.close()
    return "icons from its zips; volume, song and position become devices; volume and shutdown are commanded"


def icons(path, base):
    """A zip with icons as Domoticz wants it."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("icons.txt", "%s;%s;An icon\n" % (base, base))
        for name, size in (("", 16), ("48_On", 48), ("48_Off", 48)):
            archive.writestr("%s%s.png" % (base, name), png(size))


def png(size):
    """A grey square."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"".join(b"\0" + b"\x80" * size for _ in range(size))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def mqtt_publish(site):
    broker = Broker(site.folder)
    broker.subscribe("domoticz/test")
    site.plugin(
        "Publisher",
        "MQTT Publish.py",
        {"Address": LOCAL, "Port": str(broker.port), "Mode6": "Debug"},
    )
    site.start()
    site.line("Publisher: onMessage called with: CONNACK")
    broker.hear("domoticz/test Test 0")
    site.line("Publisher: onMessage called with: PUBACK")
    site.line("Publisher: >'PacketIdentifier': 1001")
    site.stop()
    site.line("Publisher: onStop called")
    broker.close()
    return "connects to mosquitto, publishes with QoS 1, gets the acknowledgement"


def mqtt_subscribe(site):
    broker = Broker(site.folder)
    site.plugin(
        "Subscriber",
        "MQTT Subscribe.py",
        {"Address": LOCAL, "Port": str(broker.port), "Mode1": "temp/random", "Mode6": "Debug"},
    )
    site.start()
    site.line("Subscriber: onMessage called with: CONNACK")
    site.line("Subscriber: onMessage called with: PINGRESP")
    suback = site.place("Subscriber: onMessage called with: SUBACK")
    site.line("Subscriber: ---> Dict", suback)
    broker.publish("temp/random", "21.5")
    published = site.place("Subscriber: onMessage called with: PUBLISH")
    site.line("Subscriber: >'Topic':'temp/random'", published)
    site.line("Subscriber: >'Payload': b'21.5'", published)
    broker.close()
    return "connects to mosquitto, pings, subscribes, gets the message with its bytes"


def multi_threaded(site):
    site.plugin("Threads", "Mutli-Threaded.py", {"Mode6": "62"})
    site.start()
    first = site.place("Threads: handleMessage: 'Heartbeat test message'.")
    site.line("Threads: handleMessage: 'Heartbeat test message'.", first + 1)
    site.stop()
    site.line("Threads: 'QueueThread' is running, it must be shutdown")
    site.line("Threads: Exiting message handler")
    site.line("Threads: Threads still active: 1, should be 1.")
    return "its thread handles what the heartbeats put into a queue, and ends at the stop"


def pinger(site):
    site.plugin(
        "Pinger",
        "Pinger.py",
        {"Address": LOCAL, "Mode1": "2", "Mode5": "True", "Mode6": "62"},
        'grants = { icmp = ["%s"] }' % LOCAL,
    )
    site.start()
    # Both devices have the address for a name: the state and the time.
    site.line("Pinger: Update 1:'On' (Pinger - %s)" % LOCAL)
    site.line("Pinger: --->'Description':'echo_reply'")
    site.line("Pinger: ------->'Source':'%s'" % LOCAL)
    devices = site.api(param="getdevices", used="all")["result"]
    values = sorted(device["Data"] for device in devices)
    if len(values) != 2 or not re.fullmatch(r"\d+ ms", values[0]) or values[1] != "On":
        raise Failed("the devices are %s" % values)
    if any(device["HaveTimeout"] for device in devices):
        raise Failed("a device is shown as lost")
    return "a host that answers is on and has its time in milliseconds"


def raven(site):
    def xml(tag, **fields):
        inner = "".join("  <%s>%s</%s>\r\n" % (name, value, name) for name, value in fields.items())
        return "<%s>\r\n%s</%s>\r\n" % (tag, inner, tag)

    meter = "0x00135003000a1b2c"
    number = {
        "Multiplier": "0x00000001",
        "Divisor": "0x000003e8",
        "DigitsRight": "0x03",
        "DigitsLeft": "0x06",
        "SuppressLeadingZero": "Y",
    }

    def answer(command):
        name = re.search("<Name>(.*)</Name>", command).group(1)
        connected = xml(
            "ConnectionStatus", MeterMacId=meter, Status="Connected", LinkStrength="0x64"
        )
        answers = {
            "restart": [xml("ConnectionStatus", Status="Initializing..."), connected],
            "get_device_info": [
                xml(
                    "DeviceInfo",
                    DeviceMacId="0x1",
                    InstallCode="0x2",
                    FWVersion="1.21",
                    HWVersion="1",
                    Manufacturer="Rainforest Automation, Inc.",
                    ModelId="Z106-RA",
                )
            ],
            "get_network_info": [
                xml(
                    "NetworkInfo",
                    Status="Connected",
                    Description="Successfully Joined",
                    LinkStrength="0x64",
                )
            ],
            "get_meter_list": [xml("MeterList", MeterMacId=meter)],
            "get_meter_info": [xml("MeterInfo", MeterMacId=meter, Enabled="Y")],
            "get_schedule": [
                xml(
                    "ScheduleInfo",
                    MeterMacId=meter,
                    Event="summation",
                    Frequency="0x012c",
                    Enabled="Y",
                )
            ],
            "get_current_summation_delivered": [
                xml(
                    "CurrentSummationDelivered",
                    MeterMacId=meter,
                    SummationDelivered="0x00000000000f4240",
                    **number,
                ),
                xml("InstantaneousDemand", MeterMacId=meter, Demand="0x0005dc", **number),
            ],
        }
        return answers.get(name, [])

    stick = Serial(answer)
    site.plugin(
        "Meter",
        "RAVEn.py",
        {"SerialPort": stick.path, "Mode6": "Normal"},
        "grants = { serial = [\"%s\"] }" % stick.path,
    )
    site.start()
    site.line("Meter: Connected successfully to: ")
    stick.hear("restart")
    site.line("Meter: MeterMacId: %s, Connection Status = 'Connected'" % meter)
    site.line("Meter: Manufacturer: Rainforest Automation, Inc.")
    stick.hear("get_current_summation_delivered")
    # 1.500 kW and 1000 kWh and the addition of a demand event, written as the example does: in W without the point.
    site.line("Meter: MeterMacId: %s, Instantaneous Demand = 1.500, Summary Total = 1000.0" % meter)
    device = site.device("Meter - Usage", HaveTimeout=False)
    if not device["Usage"].startswith("1500"):
        raise Failed("the usage is %s" % device["Usage"])
    stick.close()
    return "asks the stick step by step for its meter; the demand becomes the kWh device's usage"


def udp_discovery(site):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((LOCAL, 0))
        port = free.getsockname()[1]
    group = "239.255.255.250:%d" % port
    site.plugin(
        "Discovery",
        "UDP Discovery.py",
        {"Mode1": group, "Mode2": "True", "Mode6": "62"},
        'plugin-folder = "copy-on-write"\ngrants = { listen = [%d], network = ["%s"] }'
        % (port, group),
    )
    site.start()
    site.line("Discovery: Device count: 0")
    notice = b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNTS: ssdp:alive\r\n\r\n"
    tell(site, port, notice, "Discovery: Created device: " + LOCAL)
    site.line("Discovery: onMessage called from: %s:" % LOCAL)
    site.device("Discovery - " + LOCAL, Data=LOCAL)
    return "a notice becomes a device with the sender's address"


def web_socket(site):
    server = WebSocket(site.folder)
    site.plugin(
        "Socket",
        "Web Socket Client.py",
        {"Address": LOCAL, "Port": str(server.port), "Mode1": "/demo", "Mode6": "62"},
    )
    site.start()
    server.hear("upgrade GET /demo HTTP/1.1 " + LOCAL)
    site.line("Socket: WebSocket successfully upgraded")
    server.send(9, b"are you there")
    server.hear("10 Pong")
    server.hear("1 Text message")
    site.line("Socket: --->'Payload':'TEXT MESSAGE'")
    server.send(8, struct.pack(">H", 1000))
    site.line("Socket: Close Message received")
    server.close()
    return (
        "upgrades over TLS, answers a ping, sends a text with each heartbeat, gets text and close"
    )


EXAMPLES = {
    "BaseTemplate.py": base_template,
    "DenonMarantz.py": denon,
    "Dlink DSP-W215.py": dlink,
    "HTTP Listener.py": http_listener,
    "HTTP.py": http_client,
    "Kodi.py": kodi,
    "MQTT Publish.py": mqtt_publish,
    "MQTT Subscribe.py": mqtt_subscribe,
    "Mutli-Threaded.py": multi_threaded,
    "Pinger.py": pinger,
    "RAVEn.py": raven,
    "UDP Discovery.py": udp_discovery,
    "Web Socket Client.py": web_socket,
}
