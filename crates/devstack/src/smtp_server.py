"""A mail server for tests, by aiosmtpd: it keeps what it takes, one JSON object a line, and answers as its script says.

Arguments: the folder, and "none", "starttls" or "implicit". In the folder: `certificate.pem` and `key.pem` for TLS; `login`
with "user:password" if one must log in; `script.json` with answers for the next messages, such as ["451 4.3.0 later", "drop"],
read anew for each; `refused.json` with recipients that do not exist. The port stands in the first line of the output.
"""

import asyncio
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

folder, tls = pathlib.Path(sys.argv[1]), sys.argv[2]


def read(name, fallback):
    path = folder / name
    return json.loads(path.read_text()) if path.exists() else fallback


def authenticate(server, session, envelope, mechanism, data):
    login = (data.login + b":" + data.password).decode()
    return AuthResult(success=login == (folder / "login").read_text(), handled=False)


class Keeper:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in read("refused.json", []):
            return "550 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        script = read("script.json", [])
        answer = script[0] if script else "250 2.0.0 kept"
        if script:
            (folder / "script.json").write_text(json.dumps(script[1:]))
        if answer == "drop":
            server.transport.abort()
            return "421 4.3.2 dropped"
        if answer == "hang":
            await asyncio.Event().wait()
        kept = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode("utf-8"),
            "encrypted": session.ssl is not None or tls == "implicit",
            "answer": answer,
        }
        with open(folder / "kept.jsonl", "a") as file:
            file.write(json.dumps(kept) + "\n")
        return answer


def certificate():
    if tls == "none":
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


async def main():
    context = certificate()
    needs_login = (folder / "login").exists()

    def connection():
        return SMTP(
            Keeper(),
            hostname="mail.test",
            tls_context=context if tls == "starttls" else None,
            require_starttls=tls == "starttls",
            auth_required=needs_login,
            auth_require_tls=tls == "starttls",
            authenticator=authenticate if needs_login else None,
            enable_SMTPUTF8=True,
        )

    implicit = context if tls == "implicit" else None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, "127.0.0.1", 0, ssl=implicit)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
