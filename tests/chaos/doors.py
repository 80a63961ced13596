"""TCP proxies between a campaign's parts, all on one thread: a door passes everything on until it is
told to cut, to delay or to keep silent. It counts what really happened to connections and bytes."""
import asyncio
import threading

CHUNK_BYTES = 65536
CONNECT_SECONDS = 5


class Door:
    """Of one target; its methods, but for __init__, run on the doors' thread."""

    def __init__(self, name, target_port):
        self.name = name
        self.target_port = target_port
        self.port = 0
        self.delay_s = 0.0
        self.open = asyncio.Event()
        self.open.set()
        self.pipes = set()  # (writer to the client, writer to the server)
        self.counts = {"cut": 0, "delayed": 0, "held": 0}

    async def listen(self, port):
        server = await asyncio.start_server(self._accept, "127.0.0.1", port)
        self.port = server.sockets[0].getsockname()[1]

    async def _accept(self, reader, writer):
        try:
            upstream = await asyncio.wait_for(
                asyncio.open_connection("127.0.0.1", self.target_port), CONNECT_SECONDS)
        except (OSError, asyncio.TimeoutError):
            writer.transport.abort()
            return
        pipe = (writer, upstream[1])
        self.pipes.add(pipe)
        await asyncio.gather(self._pass(reader, upstream[1]), self._pass(upstream[0], writer))
        self.pipes.discard(pipe)
        for end in pipe:
            end.transport.abort()

    async def _pass(self, reader, writer):
        try:
            while True:
                chunk = await reader.read(CHUNK_BYTES)
                if not self.open.is_set():
                    self.counts["held"] += 1
                    await self.open.wait()
                if self.delay_s > 0:
                    self.counts["delayed"] += 1
                    await self._hold(self.delay_s)
                if not chunk:
                    break
                writer.write(chunk)
                await writer.drain()
        except (OSError, RuntimeError):
            writer.transport.abort()
            return
        if writer.can_write_eof():
            try:
                writer.write_eof()
            except OSError:
                pass

    @staticmethod
    async def _hold(seconds):
        held = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(seconds, held.set_result, None)
        await held

    async def cut(self, share):
        """Ends this share of its connections, at least one; none where there are none."""
        victims = sorted(self.pipes, key=id)
        victims = victims[:max(1, round(len(victims) * share))]
        for pipe in victims:
            for end in pipe:
                end.transport.abort()
        self.counts["cut"] += len(victims)

    async def set_delay(self, seconds):
        self.delay_s = seconds

    async def set_open(self, is_open):
        if is_open:
            self.open.set()
        else:
            self.open.clear()


class Doors:
    """A thread with all doors."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.doors = {}
        self.thread = threading.Thread(target=self.loop.run_forever, name="doors", daemon=True)
        self.thread.start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def add(self, name, target_port, port=0):
        """The port to come in by."""
        async def make():
            door = Door(name, target_port)
            await door.listen(port)
            return door
        self.doors[name] = self.run(make())
        return self.doors[name].port

    def __getitem__(self, name):
        return self.doors[name]

    def calm(self):
        """All open, and quick."""
        for door in self.doors.values():
            self.run(door.set_delay(0))
            self.run(door.set_open(True))

    def count(self, what):
        return sum(door.counts[what] for door in self.doors.values())

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
