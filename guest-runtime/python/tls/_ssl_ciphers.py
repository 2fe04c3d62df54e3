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
    chosen, banned = [], set()
    for item in text.replace(",", ":").replace(" ", ":").split(":"):
        if not item or item.startswith("@"):
            continue
        sign, name = (item[0], item[1:]) if item[0] in "!-+" else ("", item)
        rows = _matching(name)
        if sign == "!":
            banned.update(row[0] for row in rows)
        if sign in ("!", "-"):
            chosen = [row for row in chosen if row not in rows]
        elif sign == "+":
            chosen.sort(key=lambda row: row in rows)
        else:
            chosen += [row for row in rows if row not in chosen and row[0] not in banned]
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


def named(number):
    """Name, version and bits of a suite."""
    for row in _SUITES:
        if row[0] == number:
            return row[1], row[2], row[3]
    return None
