"""An SMTP server that prints its port, then each mail as a line of JSON. Arguments: `plain`, `login` or `starttls CERT KEY`."""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Printer:
    async def handle_DATA(self, server, session, envelope):
        if b"refuse" in envelope.content:
            return "550 refused"
        if b"busy" in envelope.content:
            return "451 busy"
        mail = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "text": envelope.content.decode(), "tls": session.ssl is not None}
        print(json.dumps(mail), flush=True)
        return "250 taken"


def login(server, session, envelope, mechanism, data):
    # Where it is not handled, the server answers 535 by itself.
    return AuthResult(success=(data.login, data.password) == (b"holdfast", b"s3cret"), handled=False)


options = {}
if sys.argv[1] == "login":
    options = {"authenticator": login, "auth_required": True, "auth_require_tls": False}
if sys.argv[1] == "starttls":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    options = {"tls_context": context}


async def main():
    serve = asyncio.get_running_loop().create_server
    server = await serve(lambda: SMTP(Printer(), **options), host="127.0.0.1", port=0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


asyncio.run(main())
