"""The cipher suites of the hub, and OpenSSL's language for choosing among them."""

# IANA number, OpenSSL's name, version, bits, and the words that mean it.
_SUITES = (
    (0x1302, "TLS_AES_256_GCM_SHA384", "TLSv1.3", 256, ()),
    (0x1303, "TLS_CHACHA20_POLY1305_SHA256", "TLSv1.3", 256, ()),
    (0x1301, "TLS_AES_128_GCM_SHA256", "TLSv1.3", 128, ()),
    (
        0xC02C,
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "TLSv1.2",
        256,
        ("ECDSA", "aECDSA", "AES256", "AES", "AESGCM", "SHA384"),
    ),
    (
        0xC030,
        "ECDHE-RSA-AES256-GCM-SHA384",
        "TLSv1.2",
        256,
        ("RSA", "aRSA", "AES256", "AES", "AESGCM", "SHA384"),
    ),
    (
        0xC02B,
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "TLSv1.2",
        128,
        ("ECDSA", "aECDSA", "AES128", "AES", "AESGCM", "SHA256"),
    ),
    (
        0xC02F,
        "ECDHE-RSA-AES128-GCM-SHA256",
        "TLSv1.2",
        128,
        ("RSA", "aRSA", "AES128", "AES", "AESGCM", "SHA256"),
    ),
    (0xCCA9, "ECDHE-ECDSA-CHACHA20-POLY1305", "TLSv1.2", 256, ("ECDSA", "aECDSA", "CHACHA20")),
    (0xCCA8, "ECDHE-RSA-CHACHA20-POLY1305", "TLSv1.2", 256, ("RSA", "aRSA", "CHACHA20")),
)

# Suites of old devices, which the hub uses where grant `legacy-tls` allows it: number, OpenSSL's
# name, version in which it came, bits.
_LEGACY = {
    number: (name, version, bits)
    for number, name, version, bits in (
        (0x0005, "RC4-SHA", "SSLv3", 128),
        (0x000A, "DES-CBC3-SHA", "SSLv3", 112),
        (0x0016, "DHE-RSA-DES-CBC3-SHA", "SSLv3", 112),
        (0x002F, "AES128-SHA", "SSLv3", 128),
        (0x0033, "DHE-RSA-AES128-SHA", "SSLv3", 128),
        (0x0035, "AES256-SHA", "SSLv3", 256),
        (0x0039, "DHE-RSA-AES256-SHA", "SSLv3", 256),
        (0x003C, "AES128-SHA256", "TLSv1.2", 128),
        (0x003D, "AES256-SHA256", "TLSv1.2", 256),
        (0x0041, "CAMELLIA128-SHA", "SSLv3", 128),
        (0x0067, "DHE-RSA-AES128-SHA256", "TLSv1.2", 128),
        (0x006B, "DHE-RSA-AES256-SHA256", "TLSv1.2", 256),
        (0x0084, "CAMELLIA256-SHA", "SSLv3", 256),
        (0x009C, "AES128-GCM-SHA256", "TLSv1.2", 128),
        (0x009D, "AES256-GCM-SHA384", "TLSv1.2", 256),
        (0x009E, "DHE-RSA-AES128-GCM-SHA256", "TLSv1.2", 128),
        (0x009F, "DHE-RSA-AES256-GCM-SHA384", "TLSv1.2", 256),
        (0xC009, "ECDHE-ECDSA-AES128-SHA", "TLSv1.0", 128),
        (0xC00A, "ECDHE-ECDSA-AES256-SHA", "TLSv1.0", 256),
        (0xC012, "ECDHE-RSA-DES-CBC3-SHA", "TLSv1.0", 112),
        (0xC013, "ECDHE-RSA-AES128-SHA", "TLSv1.0", 128),
        (0xC014, "ECDHE-RSA-AES256-SHA", "TLSv1.0", 256),
        (0xC023, "ECDHE-ECDSA-AES128-SHA256", "TLSv1.2", 128),
        (0xC024, "ECDHE-ECDSA-AES256-SHA384", "TLSv1.2", 256),
        (0xC027, "ECDHE-RSA-AES128-SHA256", "TLSv1.2", 128),
        (0xC028, "ECDHE-RSA-AES256-SHA384", "TLSv1.2", 256),
        (0xCCAA, "DHE-RSA-CHACHA20-POLY1305", "TLSv1.2", 256),
    )
}

# Words that mean some of them and none of the others.
_LEGACY_WORDS = frozenset(
    "RSA kRSA DHE EDH kDHE kEDH DH SSLv3 TLSv1 TLSv1.0 SHA SHA1 MEDIUM LOW 3DES RC4 CAMELLIA"
    " AESCCM SEED IDEA".split()
) | {name for name, _, _ in _LEGACY.values()}

# Words that mean every suite of TLS 1.2 that the hub has.
_EVERY = frozenset(
    (
        "ALL",
        "DEFAULT",
        "HIGH",
        "COMPLEMENTOFALL",
        "ECDHE",
        "EECDH",
        "kECDHE",
        "kEECDH",
        "ECDH",
        "TLSv1.2",
        "FIPS",
    )
)

# "RSA" alone means key exchange by RSA, of which there is none; next to ECDHE in a
# combination it is taken as authentication, as in "ECDHE+RSA".
_ALONE_NOTHING = frozenset(("RSA", "kRSA"))

_NEW = [row for row in _SUITES if row[2] == "TLSv1.3"]
_OLD = [row for row in _SUITES if row[2] == "TLSv1.2"]


def _matching(text):
    """The suites of TLS 1.2 that a name or a combination such as ``ECDHE+AESGCM`` means."""
    words = text.split("+")
    if len(words) == 1 and text in _ALONE_NOTHING:
        return []
    return [
        row
        for row in _OLD
        if all(word in _EVERY or word == row[1] or word in row[4] for word in words)
    ]


def selected(text):
    """IANA numbers of the suites that a cipher string selects; none when it selects none.

    Suites of TLS 1.3 always stay, as in OpenSSL. Suites that the hub lacks are left
    out, as OpenSSL does with suites that it lacks.
    """
    chosen, banned, legacy = [], set(), False
    for item in text.replace(",", ":").replace(" ", ":").split(":"):
        if not item or item.startswith("@"):
            continue
        sign, name = (item[0], item[1:]) if item[0] in "!-+" else ("", item)
        rows = _matching(name)
        legacy = legacy or not sign and not _LEGACY_WORDS.isdisjoint(name.split("+"))
        if sign == "!":
            banned.update(row[0] for row in rows)
        if sign in ("!", "-"):
            chosen = [row for row in chosen if row not in rows]
        elif sign == "+":
            chosen.sort(key=lambda row: row in rows)
        else:
            chosen += [row for row in rows if row not in chosen and row[0] not in banned]
    if not chosen and legacy:
        # A program that asks for suites of old devices only: those of the hub for whoever is none.
        chosen = [row for row in _OLD if row[0] not in banned]
    return [row[0] for row in _NEW + chosen] if chosen else []


def described(numbers):
    """The answer of ``SSLContext.get_ciphers``."""
    order = numbers or [row[0] for row in _SUITES]
    rows = {row[0]: row for row in _SUITES}
    return [
        {
            "id": 0x3000000 | number,
            "name": name,
            "protocol": version,
            "aead": True,
            "strength_bits": bits,
            "alg_bits": bits,
            "description": "%s %s" % (name, version),
            "digest": None,
            "symmetric": None,
            "kea": "kx-any" if version == "TLSv1.3" else "kx-ecdhe",
            "auth": "auth-any" if version == "TLSv1.3" else "auth-" + words[0].lower(),
        }
        for number, name, version, bits, words in map(rows.__getitem__, order)
    ]


def offered(numbers):
    """Name, version and bits of each suite that a client offers."""
    return [(row["name"], row["protocol"], row["alg_bits"]) for row in described(numbers)]


def named(number):
    """Name, version and bits of a suite."""
    for row in _SUITES:
        if row[0] == number:
            return row[1], row[2], row[3]
    return _LEGACY.get(number)
