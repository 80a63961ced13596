"""Requests that no generator over a spec makes: broken JSON, sizes, encodings, HTTP itself. Each gets
a refusal, in Neon's shape where it reaches the API, and the sandbox lives on."""

import json
import socket
import urllib.parse

from world import KEY

TIMEOUT_SECONDS = 20
MEGABYTE = 1024 * 1024
PROJECT = b'{"project":{"name":"hostile"}}'
# What HTTP itself breaks on, the server may refuse in its own words, or by hanging up.
REFUSED = {400, 404, 405, 411, 413, 414, 415, 417, 431, 501, 505}


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def is_error_of_neon(self):
        """GeneralError of the OpenAPI."""
        try:
            error = json.loads(self.body)
        except ValueError:
            return False
        return isinstance(error, dict) and all(
            isinstance(error.get(name), str) for name in ("request_id", "code", "message")
        )


def read_reply(file):
    """The next reply of a connection, or None at its end."""
    first = file.readline()
    if not first:
        return None
    headers = {}
    while (line := file.readline().strip()):
        name, _, value = line.partition(b":")
        headers[name.lower().decode()] = value.strip().decode()
    body = file.read(int(headers.get("content-length", 0)))
    return Reply(int(first.split()[1]), headers, body)


class Attacker:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.address = (parts.hostname, parts.port)
        self.base = parts.path.encode()
        self.faults = []
        self.count = 0

    def exchange(self, data, replies=1):
        """Sends bytes as they are; the replies that came before the connection's end."""
        with socket.create_connection(self.address, TIMEOUT_SECONDS) as connection:
            try:
                connection.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before it was whole: the reply tells
            found = []
            try:
                with connection.makefile("rb") as file:
                    while len(found) < replies and (reply := read_reply(file)) is not None:
                        found.append(reply)
            except ConnectionResetError:
                pass
            except TimeoutError:
                self.fault("a request", f"no answer within {TIMEOUT_SECONDS} s: {data[:80]}")
            return found

    def head(self, method, path, *headers, raw_path=False):
        lines = [
            method + b" " + (path if raw_path else self.base + path) + b" HTTP/1.1",
            b"Host: localhost",
            b"Authorization: Bearer " + KEY.encode(),
            *headers,
        ]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def post(self, body, kind=b"application/json", path=b"/projects"):
        length = b"Content-Length: %d" % len(body)
        return self.head(b"POST", path, b"Content-Type: " + kind, length) + body

    def fault(self, name, text):
        self.faults.append(f"hostile: {name}: {text}")

    def lives(self, name):
        replies = self.exchange(self.head(b"GET", b"/auth"))
        if not replies or replies[0].status != 200:
            self.fault(name, "the sandbox answers no more")

    def api(self, name, data, statuses):
        """One that reaches the API: its status, and Neon's shape if it is an error."""
        self.count += 1
        replies = self.exchange(data)
        if not replies:
            self.fault(name, "no reply")
        elif replies[0].status not in statuses:
            self.fault(name, f"{replies[0].status} {replies[0].body[:200]}")
        elif replies[0].status >= 400 and not replies[0].is_error_of_neon():
            self.fault(name, f"not Neon's error: {replies[0].status} {replies[0].body[:200]}")
        self.lives(name)

    def http(self, name, data):
        """One that breaks HTTP: refused in whatever words, or the connection ends."""
        self.count += 1
        replies = self.exchange(data)
        if replies and replies[0].status not in REFUSED:
            self.fault(name, f"{replies[0].status} {replies[0].body[:200]}")
        self.lives(name)


def send_bodies(attacker):
    deep = 100_000
    broken = {
        "nothing": b"",
        "cut off": b'{"project":{"name":"a"',
        "trailing text": PROJECT + b"}",
        "two values": PROJECT + PROJECT,
        "a number": b"1",
        "a list": b"[" + PROJECT + b"]",
        "null": b"null",
        "a word": b"project",
        "a comment": b'{"project":{/**/}}',
        "a byte order mark": b"\xef\xbb\xbf" + PROJECT,
        "invalid UTF-8": b'{"project":{"name":"\xff\xfe"}}',
        "invalid UTF-8 in a key": b'{"project":{"name":"a","\xc3\x28":1}}',
        "half a surrogate pair": b'{"project":{"name":"\\ud800"}}',
        "an escaped NUL": b'{"project":{"name":"a\\u0000b"}}',
        "an escaped NUL in a key": b'{"project":{"name\\u0000":"a"}}',
        "a NUL": b'{"project":{"name":"a\x00b"}}',
        "a NUL at the end": PROJECT + b"\x00",
        "a control character": b'{"project":{"name":"a\nb"}}',
        "a number too big": b'{"project":{"pg_version":99999999999999999999999}}',
        "a real too big": b'{"project":{"autoscaling_limit_max_cu":1e400}}',
        "lists 100000 deep": b'{"project":' + b"[" * deep + b"]" * deep + b"}",
        "objects 100000 deep": b'{"project":' * deep + b"1" + b"}" * deep,
        "lists that never end": b"[" * MEGABYTE,
        "a name of 1 MB": b'{"project":{"name":"' + b"a" * MEGABYTE + b'"}}',
        "a name of 10 MB": b'{"project":{"name":"' + b"a" * (10 * MEGABYTE) + b'"}}',
        "10 MB of nothing": b" " * (10 * MEGABYTE),
        "100000 members": b'{"project":'
        + json.dumps({f"x{i}": i for i in range(100_000)}).encode()
        + b"}",
    }
    for name, body in broken.items():
        # A big body that says nothing wrong is Neon's to take or to refuse.
        statuses = {201, 400, 413} if name == "100000 members" else {400, 413}
        attacker.api(name, attacker.post(body), statuses)
    # As Go's decoders do, the last one wins; either way it is an answer.
    twice = b'{"project":{"name":"a"},"project":{"name":"b"}}'
    attacker.api("a member twice", attacker.post(twice), {201, 400})


def send_types(attacker):
    for kind in (b"text/plain", b"application/xml", b"multipart/form-data; boundary=a", b"/", b"json"):
        attacker.api(f"content type {kind.decode()}", attacker.post(PROJECT, kind), {400, 415})
    for kind in (b"application/json; charset=utf-8", b"Application/JSON"):
        attacker.api(f"content type {kind.decode()}", attacker.post(PROJECT, kind), {201})


def send_chunks(attacker):
    chunked = attacker.head(
        b"POST", b"/projects", b"Content-Type: application/json", b"Transfer-Encoding: chunked"
    )
    each = b"".join(b"1\r\n%c\r\n" % byte for byte in PROJECT)
    attacker.api("chunks of a byte", chunked + each + b"0\r\n\r\n", {201})
    long = b'{"project":{"name":"' + b"a" * (2 * MEGABYTE) + b'"}}'
    attacker.api("a chunk of 2 MB", chunked + b"%x\r\n" % len(long) + long + b"\r\n0\r\n\r\n", {400, 413})
    attacker.http("a chunk without a length", chunked + b"xyz\r\n{}\r\n0\r\n\r\n")
    attacker.http("a chunk of 2^80", chunked + b"f" * 20 + b"\r\n{}\r\n0\r\n\r\n")


def send_addresses(attacker):
    api = attacker.api
    missing = {
        "no such route": b"/no/such/route",
        "an empty segment": b"/projects//branches",
        "a slash at the end": b"/projects/",
        "dots": b"/projects/../users/me",
        "an escaped slash": b"/projects/a%2Fb",
        "a NUL in the path": b"/projects/a%00b",
        "half an escape": b"/projects/%",
        "no escape": b"/projects/%zz",
        "invalid UTF-8 in the path": b"/projects/%ff%fe",
        "40 segments": b"/projects" + b"/a" * 40,
        "an id of 4 KB": b"/projects/" + b"a" * 4096,
    }
    for name, path in missing.items():
        api(name, attacker.head(b"GET", path), {400, 404})
    api("outside of the API", attacker.head(b"GET", b"/", raw_path=True), {404})
    wrong = {
        "half an escape in the query": b"limit=%",
        "a NUL in the query": b"search=a%00b",
        "invalid UTF-8 in the query": b"search=%ff",
        "a limit that is no number": b"limit=1e3",
        "a limit with a tail": b"limit=10x",
        "a limit of 30 digits": b"limit=" + b"9" * 30,
    }
    for name, query in wrong.items():
        api(name, attacker.head(b"GET", b"/projects?" + query), {400})
    many = b"&".join(b"x%d=1" % i for i in range(300))
    api("300 arguments", attacker.head(b"GET", b"/projects?" + many), {200, 400})
    attacker.http("a path of 100 KB", attacker.head(b"GET", b"/" + b"a" * 100_000))
    attacker.http("a query of 100 KB", attacker.head(b"GET", b"/projects?search=" + b"a" * 100_000))


def send_headers(attacker):
    wrong_keys = {
        "no key": b"X-None: 1",
        "another scheme": b"Authorization: Basic Og==",
        "an empty key": b"Authorization: Bearer ",
        "a key of 8 KB": b"Authorization: Bearer " + b"a" * 8192,
        "a key that is no text": b"Authorization: Bearer \xff\xfe",
    }
    for name, header in wrong_keys.items():
        path = attacker.base + b"/projects"
        data = b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n\r\n"
        attacker.api(name, data, {401})
    long_id = b"X-Request-ID: " + b"a" * 2000
    attacker.api("a request id of 2 KB", attacker.head(b"GET", b"/none", long_id), {404})
    attacker.http("a header of 100 KB", attacker.head(b"GET", b"/none", b"X-Big: " + b"a" * 100_000))
    attacker.http("5000 headers", attacker.head(b"GET", b"/none", *[b"X-A: 1"] * 5000))
    attacker.http("a header without a colon", attacker.head(b"GET", b"/none", b"nonsense"))
    both = (b"Content-Length: 5", b"Transfer-Encoding: chunked")
    attacker.http("two lengths", attacker.head(b"POST", b"/projects", *both) + b"0\r\n\r\n")
    attacker.http("a negative length", attacker.head(b"POST", b"/projects", b"Content-Length: -5"))
    attacker.http("no HTTP", b"\x16\x03\x01\x02\x00" + b"\x00" * 500 + b"\r\n\r\n")
    attacker.http("a version of its own", b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n")
    for method in (b"PUT", b"TRACE", b"OPTIONS", b"FOO"):
        name = f"method {method.decode()}"
        attacker.api(name, attacker.head(method, b"/projects", b"Content-Length: 0"), {404, 405})


def send_together(attacker):
    """Several requests at once on one connection are answered one after the other."""
    auth, none = attacker.head(b"GET", b"/auth"), attacker.head(b"GET", b"/none")
    sent = [auth, none, attacker.post(PROJECT), attacker.post(b"{"), auth]
    statuses = [reply.status for reply in attacker.exchange(b"".join(sent), len(sent))]
    attacker.count += 1
    if statuses != [200, 404, 201, 400, 200]:
        attacker.fault("pipelining", f"answered with {statuses}")
    attacker.lives("pipelining")


def hang_up(attacker):
    """Connections that end, or stay, before a request is whole."""
    whole = attacker.post(PROJECT)
    for bytes_sent in (0, 1, 30, len(whole) - 1):
        attacker.count += 1
        with socket.create_connection(attacker.address, TIMEOUT_SECONDS) as connection:
            connection.sendall(whole[:bytes_sent])
        attacker.lives(f"hung up after {bytes_sent} bytes")
    held = [socket.create_connection(attacker.address, TIMEOUT_SECONDS) for _ in range(200)]
    for connection in held:
        connection.sendall(whole[:30])
    attacker.count += 1
    attacker.lives("200 connections that say nothing")
    for connection in held:
        connection.close()
    attacker.lives("200 connections that hung up")


def attack(url):
    """What went wrong, a line each."""
    attacker = Attacker(url)
    send_bodies(attacker)
    send_types(attacker)
    send_chunks(attacker)
    send_addresses(attacker)
    send_headers(attacker)
    send_together(attacker)
    hang_up(attacker)
    print(f"{attacker.count} hostile requests")
    return attacker.faults
