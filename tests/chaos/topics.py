"""The campaign's side of Kafka: sending records, and reading every topic from its first record on, as
committed only. Messages are those of proto/, by the descriptors that protoc gives."""
import base64
import os
import subprocess
import threading
import time

import confluent_kafka
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

import keys
import stack

TOPICS = ("commands", "events", "state", "dead-letters")
UNKNOWN_FIELD = b"\xfa\x3f\x01x"  # field 1023, of no version


class Messages:
    """Command, Event and State as Python classes."""

    def __init__(self, directory):
        proto = os.path.join(stack.ROOT, "proto")
        folder = os.path.join(proto, "provisioning", "v1")
        files = sorted(f"provisioning/v1/{name}" for name in os.listdir(folder))
        out = os.path.join(directory, "descriptors")
        subprocess.run(["protoc", "-I", proto, "--include_imports", "--descriptor_set_out", out, *files],
                       check=True)
        with open(out, "rb") as file:
            known = descriptor_pb2.FileDescriptorSet.FromString(file.read())
        pool = descriptor_pool.DescriptorPool()
        for one in known.file:
            pool.Add(one)
        self._classes = {
            name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"provisioning.v1.{name}"))
            for name in ("Command", "Event", "State", "SealedApiKey", "Credentials")}

    def pack(self, name, form):
        message = self._classes[name]()
        json_format.ParseDict(form, message)
        return message.SerializeToString(deterministic=True)

    def unpack(self, name, value):
        """JSON form, or None of what is no such message."""
        try:
            return json_format.MessageToDict(self._classes[name].FromString(value))
        except Exception:  # the library's own class differs by its implementation
            return None


def resolve(value, names):
    """The form with "@…" replaced by what it stands for."""
    if isinstance(value, dict):
        return {key: resolve(member, names) for key, member in value.items()}
    if isinstance(value, list):
        return [resolve(member, names) for member in value]
    return names.get(value, value) if isinstance(value, str) and value.startswith("@") else value


class Producer:
    """One of several; its records arrive once each, however often connections are cut."""

    def __init__(self, bootstrap, messages, names):
        self.messages = messages
        self.names = names
        self.unsent = []
        self.kafka = confluent_kafka.Producer({
            "bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 0,
            "partitioner": "murmur2_random", "message.timeout.ms": 300000,
            "socket.timeout.ms": 5000, "retry.backoff.max.ms": 500})

    def send(self, index, send):
        value = send.raw
        if send.command is not None:
            value = self.messages.pack("Command", resolve(send.command, self.names))
            value += UNKNOWN_FIELD if send.unknown_field else b""
        headers = {"chaos": str(index)}
        if send.signer is not None:
            headers["provision-signature"] = keys.signature(
                send.signer, send.key, value + b"?" if send.forged else value)
        more = {"partition": self._wrong_partition(send.key)} if send.stray else {}
        self.kafka.produce("commands", value=value, key=send.key.encode(),
                           headers=headers, on_delivery=self._delivered, **more)
        self.kafka.poll(0)

    def _delivered(self, error, message):
        if error is not None:
            self.unsent.append(f"{message.key()}: {error}")

    def _wrong_partition(self, key):
        return (murmur2(key.encode()) % stack.PARTITIONS + 1) % stack.PARTITIONS

    def finish(self, seconds):
        return self.kafka.flush(seconds)


def murmur2(data):
    """As Kafka's Java client: the hash without its sign."""
    mask, factor = 0xFFFFFFFF, 0x5BD1E995
    result = 0x9747B28C ^ len(data)
    for i in range(0, len(data) - 3, 4):
        k = int.from_bytes(data[i:i + 4], "little") * factor & mask
        result = (result * factor & mask) ^ ((k ^ k >> 24) * factor & mask)
    rest = data[len(data) & ~3:]
    if rest:
        result = (result ^ int.from_bytes(rest, "little")) * factor & mask
    result = (result ^ result >> 13) * factor & mask
    return (result ^ result >> 15) & 0x7FFFFFFF


def _consumer(bootstrap, isolation):
    return confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": "chaos-reader", "enable.auto.commit": False,
        "isolation.level": isolation, "auto.offset.reset": "earliest", "enable.partition.eof": True})


def _places():
    return [confluent_kafka.TopicPartition(topic, partition, 0)
            for topic in TOPICS for partition in range(stack.PARTITIONS)]


class Watcher(threading.Thread):
    """Counts, while the campaign runs, what has ended: ids of commands with an outcome."""

    def __init__(self, bootstrap, messages, is_outcome):
        super().__init__(name="watcher", daemon=True)
        self.follow_ups = set()  # commands that workers sent
        self.command_ends = {}  # partition: offset behind its last record
        self.ended = set()
        self.messages = messages
        self.is_outcome = is_outcome
        self.ending = threading.Event()
        self.kafka = _consumer(bootstrap, "read_committed")
        self.kafka.assign([place for place in _places() if place.topic in ("commands", "events")])

    def run(self):
        while not self.ending.is_set():
            for message in self.kafka.consume(500, 0.2):
                if message.error() is None:
                    self._see(message)
        self.kafka.close()

    def _see(self, message):
        if message.topic() == "commands":
            self.command_ends[message.partition()] = message.offset() + 1
            command = self.messages.unpack("Command", message.value() or b"")
            if command and command.get("requestedBy") == "provision-worker":
                self.follow_ups.add((command["applicationId"], command["commandId"]))
        else:
            event = self.messages.unpack("Event", message.value())
            if self.is_outcome(event):
                self.ended.add((event["applicationId"], event.get("commandId")))

    def stop(self):
        self.ending.set()
        self.join(30)


def _ends(bootstrap):
    """How far each partition goes, transactions that are open included."""
    kafka = _consumer(bootstrap, "read_uncommitted")
    ends = {(place.topic, place.partition): kafka.get_watermark_offsets(place, timeout=30)[1]
            for place in _places()}
    kafka.close()
    return ends


def read_places(bootstrap, seconds):
    """What the group and its transactions have left, `seconds` at most after the last of them: by
    "topic partition" {"committed", "metadata": of the command topic, None where nothing is; "stable":
    the last offset below which no transaction is open; "end"}."""
    places = _places() + [confluent_kafka.TopicPartition("__consumer_offsets", 0)]
    group = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": stack.GROUP,
                                      "enable.auto.commit": False})
    commands = [place for place in places if place.topic == "commands"]
    committed = {place.partition: place for place in group.committed(commands, timeout=30)}
    group.close()
    stable, end = _consumer(bootstrap, "read_committed"), _consumer(bootstrap, "read_uncommitted")
    deadline = time.monotonic() + seconds
    found = {}
    while True:
        for place in places:
            of_group = committed.get(place.partition) if place.topic == "commands" else None
            found[f"{place.topic} {place.partition}"] = {
                "end": end.get_watermark_offsets(place, timeout=30)[1],
                "stable": stable.get_watermark_offsets(place, timeout=30)[1],
                "committed": of_group and of_group.offset, "metadata": of_group and of_group.metadata}
        if time.monotonic() > deadline or all(one["stable"] == one["end"] for one in found.values()):
            break
        stack.pause(stack.LOOK_SECONDS)
    stable.close()
    end.close()
    return found


def read_all(bootstrap, seconds):
    """Every committed record of every topic: {topic: [record]}, each partition's in order. All
    transactions have to be over within `seconds`."""
    ends = _ends(bootstrap)
    records = {topic: [] for topic in TOPICS}
    deadline = time.monotonic() + seconds
    kafka = _consumer(bootstrap, "read_committed")
    kafka.assign(_places())
    while ends:
        if time.monotonic() > deadline:
            raise TimeoutError(f"an open transaction holds up {sorted(ends)}")
        for message in kafka.consume(500, 0.2):
            place = (message.topic(), message.partition())
            if message.error() is None:
                records[message.topic()].append(_record(message))
            elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                if message.offset() >= ends.get(place, 0):
                    ends.pop(place, None)
    kafka.close()
    return records


def _record(message):
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in message.headers() or []}
    value = message.value()
    return {"partition": message.partition(), "offset": message.offset(),
            "key": (message.key() or b"").decode("utf-8", "replace"), "time_ms": message.timestamp()[1],
            "headers": headers, "value": None if value is None else base64.b64encode(value).decode()}
