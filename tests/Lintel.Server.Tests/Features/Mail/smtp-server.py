"""A mail server for the tests: tells its port and then each message it took as a line of JSON.

    smtp-server.py port [certificate key] [user password]

A recipient at refused.example.com is unknown for good, one at busy.example.com for now, and one at large.example.com has no room for the message.
"""
import asyncio
import email
import email.policy
import json
import logging
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

# It warns of a property of its own that it uses itself.
logging.getLogger("mail.log").setLevel(logging.ERROR)

port, *rest = sys.argv[1:]
certificate = rest[:2]
account = rest[2:4]


def say(**facts):
    print(json.dumps(facts), flush=True)


class Server(SMTP):
    async def smtp_AUTH(self, arg):
        # A mechanism is the same in upper and lower case, by RFC 5321; the library takes upper case alone.
        mechanism, _, rest = (arg or "").partition(" ")
        await super().smtp_AUTH(f"{mechanism.upper()} {rest}".strip())


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.endswith("@refused.example.com"):
            return "550 5.1.1 No such person\r\n"
        if address.endswith("@busy.example.com"):
            return "451 4.3.0 Try again later\r\n"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if any(address.endswith("@large.example.com") for address in envelope.rcpt_tos):
            return "552 5.3.4 Too large"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say(
            sender=envelope.mail_from,
            recipients=envelope.rcpt_tos,
            headers=[[name, str(value)] for name, value in message.items()],
            text=message.get_body(("plain",)).get_content(),
            html=message.get_body(("html",)).get_content(),
            parts=sum(1 for _ in message.walk()),
            defects=len(message.defects),
            tls=session.ssl is not None,
            user=None if session.auth_data is None else session.auth_data.decode(),
        )
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    right = [data.login.decode(), data.password.decode()] == account
    return AuthResult(success=right, handled=False, auth_data=data.login if right else None)


settings = {}
if certificate:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    settings |= {"tls_context": context, "require_starttls": True}
if account:
    settings |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": True}



async def serve():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Server(Handler(), hostname="localhost", enable_SMTPUTF8=True, loop=loop, **settings), "127.0.0.1", int(port), reuse_address=True
    )
    say(port=server.sockets[0].getsockname()[1])

    # Ends with whoever started it.
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(serve())
