"""Makes another broker the leader of a partition while all of them live: two requests of Kafka's
protocol that the Python client does not have (https://kafka.apache.org/protocol)."""
import socket
import struct

SECONDS = 10
TIMEOUT_MS = 10000
REASSIGN, REASSIGN_VERSION = 45, 0  # AlterPartitionReassignments
ELECT, ELECT_VERSION = 43, 2  # ElectLeaders
PREFERRED = 0
NO_TAGS = b"\0"


def _varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def _text(text):
    return _varint(len(text) + 1) + text.encode()


def _list(members):
    return _varint(len(members) + 1) + b"".join(members)


def _int32(number):
    return struct.pack(">i", number)


def _ask(bootstrap, key, version, body):
    """Sent to the first broker that answers, which passes it on to the controller. The reply is not
    read: what came of it, metadata tells."""
    header = struct.pack(">hhih", key, version, 1, len("chaos")) + b"chaos" + NO_TAGS
    request = header + body
    for place in bootstrap.split(","):
        host, _, port = place.partition(":")
        try:
            with socket.create_connection((host, int(port)), SECONDS) as broker:
                broker.settimeout(SECONDS)
                broker.sendall(_int32(len(request)) + request)
                if broker.recv(4):
                    return
        except OSError:
            continue
    raise RuntimeError("no broker answers")


def move(bootstrap, topics, order):
    """Partition 0 of each: its replicas in this order, of which the first then leads."""
    one = _int32(0) + _list([_int32(broker) for broker in order]) + NO_TAGS
    reassigned = [_text(topic) + _list([one]) + NO_TAGS for topic in topics]
    _ask(bootstrap, REASSIGN, REASSIGN_VERSION, _int32(TIMEOUT_MS) + _list(reassigned) + NO_TAGS)
    elected = [_text(topic) + _list([_int32(0)]) + NO_TAGS for topic in topics]
    _ask(bootstrap, ELECT, ELECT_VERSION, bytes([PREFERRED]) + _list(elected) + _int32(TIMEOUT_MS) + NO_TAGS)
