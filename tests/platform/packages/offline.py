"""
<plugin key="Offline" name="Offline">
</plugin>
"""

# The usual uses of packages before anything goes over the network. Each case logs one
# line; the test knows the right text.
import Domoticz


def requests_prepares():
    import requests

    prepared = requests.Request(
        "POST", "https://device.lan/api?x=1", params={"y": "\u00e4"}, json={"a": 1}, auth=("u", "p")
    ).prepare()
    return prepared.url, prepared.body, prepared.headers["Authorization"]


def requests_is_refused():
    import requests

    try:
        requests.get("http://192.0.2.1:81/", timeout=5)
    except requests.exceptions.ConnectionError as error:
        return type(error).__name__


def paho_matches():
    import paho.mqtt.client as mqtt

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="x")
    client.username_pw_set("u", "p")
    client.will_set("a/b", "gone", qos=1, retain=True)
    return mqtt.topic_matches_sub("a/+/#", "a/b/c/d"), client.is_connected()


def dateutil_reckons():
    import datetime

    from dateutil import parser, relativedelta, rrule

    days = rrule.rrule(rrule.DAILY, count=2, dtstart=datetime.datetime(2026, 2, 28))
    return (
        parser.parse("3 Jan 2026 10:11:12+02:00").isoformat(),
        str(datetime.date(2026, 1, 31) + relativedelta.relativedelta(months=1)),
        str(list(days)[1].date()),
    )


def dateutil_knows_zones():
    import datetime

    from dateutil import tz

    zone = tz.gettz("Europe/Paris")
    return datetime.datetime(2026, 7, 1, 12, tzinfo=zone).astimezone(tz.UTC).isoformat()


def pytz_converts():
    import datetime

    import pytz

    noon = pytz.timezone("Europe/Amsterdam").localize(datetime.datetime(2026, 7, 1, 12))
    return noon.astimezone(pytz.utc).isoformat(), len(pytz.all_timezones) > 400


def websocket_frames():
    import websocket

    frame = websocket.ABNF.create_frame("hello", websocket.ABNF.OPCODE_TEXT).format()
    return len(frame), frame[:2]


def zeroconf_packs():
    from zeroconf import DNSIncoming, DNSOutgoing, DNSQuestion, ServiceInfo, const

    query = DNSOutgoing(const._FLAGS_QR_QUERY)
    query.add_question(DNSQuestion("_http._tcp.local.", const._TYPE_PTR, const._CLASS_IN))
    question = DNSIncoming(query.packets()[0]).questions[0]
    info = ServiceInfo(
        "_http._tcp.local.",
        "x._http._tcp.local.",
        addresses=[bytes([10, 0, 0, 1])],
        port=80,
        properties={"a": "b"},
        server="x.local.",
    )
    return question.name, info.text, info.parsed_addresses()


def simplejson_is_exact():
    from decimal import Decimal

    import simplejson

    return (
        simplejson.loads('{"a": 2.50}', use_decimal=True),
        simplejson.dumps({"b": Decimal("1.10"), "a": None}, sort_keys=True),
    )


def yaml_reads_and_writes():
    import yaml

    read = yaml.safe_load("a: [1, 2.5, yes]\nb: {c: 2026-01-02, d: ~}\ne: |\n  x\n  y\n")
    return read, yaml.safe_dump({"z": [1, {"k": "v: w"}]}), yaml.__with_libyaml__


def jinja2_renders():
    import jinja2

    template = jinja2.Environment(autoescape=True).from_string(
        "{% for k, v in d.items() %}{{ k }}={{ v|upper }};{% endfor %}"
        "{% macro f(x) %}[{{ x }}]{% endmacro %}{{ f('<x>') }}"
    )
    return template.render(d={"a": "b"})


def httpx_answers():
    import httpx

    def handler(request):
        return httpx.Response(200, json={"path": request.url.path, **request.url.params})

    with httpx.Client(transport=httpx.MockTransport(handler), base_url="https://d.lan") as client:
        return client.get("/x", params={"a": "1"}).json()


def metadata_is_there():
    from importlib import metadata

    names = {found.metadata["Name"] for found in metadata.distributions()}
    return metadata.version("requests").split(".")[0], "PyYAML" in names


def pkg_resources_answers():
    import pkg_resources

    try:
        pkg_resources.require("requests<2")
    except pkg_resources.VersionConflict:
        conflict = True
    return (
        pkg_resources.get_distribution("requests>=2").project_name,
        conflict,
        pkg_resources.parse_version("1.10") > pkg_resources.parse_version("1.9"),
        pkg_resources.parse_version("1.0rc1") < pkg_resources.parse_version("1.0"),
    )


def certifi_has_its_file():
    import os

    import certifi

    return certifi.where(), os.path.getsize(certifi.where()) > 100000


def idna_encodes():
    import idna

    return idna.encode("b\u00fccher.example")


def charset_is_guessed():
    from charset_normalizer import from_bytes

    return str(from_bytes("Temperatur: 21\u00b0 drau\u00dfen".encode("utf-8")).best())


def packages_are_read_only():
    try:
        open("/packages/new.py", "w")
    except PermissionError:
        return "refused"


def onStart():
    cases = [(name, case) for name, case in globals().items() if "_" in name and callable(case)]
    for name, case in cases:
        try:
            Domoticz.Log("%s: %r" % (name, case()))
        except Exception as error:
            Domoticz.Log("%s: raised %s: %s" % (name, type(error).__name__, error))
    Domoticz.Log("all done")
