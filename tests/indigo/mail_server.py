"""A mail server for tests: takes letters and prints each as a line of JSON.

    python3 mail_server.py none|starttls|tls CERTIFICATE KEY [AUTH]

The first line has the port. Letters are read with Python's package email. With AUTH, which is
PLAIN or LOGIN, only user "hub" with the password "s\u00e9cret" may send. Who is called refused@... is
refused.
"""

import base64
import email
import email.policy
import json
import socketserver
import ssl
import sys
import threading

SECURITY, CERTIFICATE, KEY = sys.argv[1:4]
AUTH = sys.argv[4] if len(sys.argv) > 4 else ""
PASSWORD = "s\u00e9cret"
PRINTING = threading.Lock()


class Handler(socketserver.BaseRequestHandler):
    def secure(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE, KEY)
        self.request = context.wrap_socket(self.request, server_side=True)
        self.file = self.request.makefile("rb")
        self.tls = True

    def say(self, line):
        self.request.sendall(line.encode() + b"\r\n")

    def handle(self):
        self.tls = self.known = False
        self.sender, self.receivers = None, []
        self.file = self.request.makefile("rb")
        if SECURITY == "tls":
            self.secure()
        self.say("220 tests ESMTP")
        # Not an iterator: TLS puts another file in the place of this one.
        while line := self.file.readline():
            words = line.decode().split()
            verb = words[0].upper() if words else ""
            if not getattr(self, verb.lower(), self.unknown)(words, line):
                return

    def unknown(self, words, line):
        self.say("500 what?")
        return True

    def ehlo(self, words, line):
        offers = ["tests"]
        if SECURITY == "starttls" and not self.tls:
            offers.append("STARTTLS")
        if AUTH and (self.tls or SECURITY == "none"):
            offers.append("AUTH " + AUTH)
        offers.append("8BITMIME")
        for offer in offers[:-1]:
            self.say("250-" + offer)
        self.say("250 " + offers[-1])
        return True

    def starttls(self, words, line):
        self.say("220 go ahead")
        self.secure()
        return True

    def auth(self, words, line):
        if words[1] == "PLAIN":
            _, user, password = base64.b64decode(words[2]).decode().split("\0")
        else:
            self.say("334 VXNlcm5hbWU6")
            user = base64.b64decode(self.file.readline()).decode()
            self.say("334 UGFzc3dvcmQ6")
            password = base64.b64decode(self.file.readline()).decode()
        self.known = (user, password) == ("hub", PASSWORD)
        self.say("235 hello" if self.known else "535 5.7.8 wrong password")
        return True

    def mail(self, words, line):
        if AUTH and not self.known:
            self.say("530 who are you?")
            return True
        self.sender = line.decode().strip().partition(":")[2]
        self.say("250 fine")
        return True

    def rcpt(self, words, line):
        receiver = line.decode().strip().partition(":")[2]
        if "refused@" in receiver:
            self.say("550 5.1.1 no such mailbox")
            return True
        self.receivers.append(receiver)
        self.say("250 fine")
        return True

    def data(self, words, line):
        self.say("354 go on")
        text = b""
        for line in iter(self.file.readline, b".\r\n"):
            assert line.endswith(b"\r\n") and len(line) <= 998, line
            text += line[1:] if line.startswith(b".") else line
        letter = email.message_from_bytes(text, policy=email.policy.default)
        told = json.dumps({
            "tls": self.tls, "known": self.known, "sender": self.sender, "receivers": self.receivers,
            "from": letter["From"], "to": letter["To"], "subject": letter["Subject"],
            "headers": sorted(letter.keys()), "body": letter.get_content(),
            "dated": letter["Date"].datetime is not None, "defects": [str(d) for d in letter.defects],
            "longest": max(len(line) for line in text.split(b"\r\n")),
        })
        # Letters come at the same time, and a line is written in two parts.
        with PRINTING:
            print(told, flush=True)
        self.say("250 taken")
        return True

    def quit(self, words, line):
        self.say("221 bye")
        return False


with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
