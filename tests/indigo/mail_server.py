"""A mail server for tests, the package aiosmtpd: prints each letter as a line of JSON.

    /usr/bin/python3 mail_server.py none|starttls|tls CERTIFICATE KEY [AUTH]

The first line has the port. Letters are read with Python's package email. With AUTH, which is
PLAIN or LOGIN, only user "hub" with the password "s\u00e9cret" may send. Who is called refused@... is
refused.
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

SECURITY, CERTIFICATE, KEY = sys.argv[1:4]
AUTH = sys.argv[4] if len(sys.argv) > 4 else ""


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(
            json.dumps(
                {
                    "tls": server.transport.get_extra_info("sslcontext") is not None,
                    "known": bool(session.authenticated),
                    "sender": envelope.mail_from,
                    "receivers": envelope.rcpt_tos,
                    "from": letter["From"],
                    "to": letter["To"],
                    "subject": letter["Subject"],
                    "headers": sorted(letter.keys()),
                    "body": letter.get_content(),
                    "dated": letter["Date"].datetime is not None,
                    "defects": [str(d) for d in letter.defects],
                    "longest": max(len(line) for line in envelope.content.split(b"\r\n")),
                }
            ),
            flush=True,
        )
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    known = (data.login, data.password) == (b"hub", "s\u00e9cret".encode())
    return AuthResult(success=known, handled=False)


async def main():
    context = None
    if SECURITY != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE, KEY)

    def connection():
        return SMTP(
            Handler(),
            hostname="tests",
            loop=asyncio.get_running_loop(),
            tls_context=context if SECURITY == "starttls" else None,
            authenticator=authenticate,
            auth_required=bool(AUTH),
            # The package does not count TLS from the first byte as TLS.
            auth_require_tls=SECURITY == "starttls",
            auth_exclude_mechanism={"PLAIN", "LOGIN"} - {AUTH},
        )

    at_once = context if SECURITY == "tls" else None
    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0, ssl=at_once)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
