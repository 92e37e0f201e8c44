"""Many clients at once, on loopback, a bounded number of times."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

HOST = "127.0.0.1"


@dataclass
class Load:
    statuses: Counter[int] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    received: int = 0  # bytes
    waits: list[float] = field(default_factory=list)  # seconds of each answer


def fetch_at_once(port: int, paths: Sequence[str], *, clients: int, rounds: int, until: float = 0) -> Load:
    """
    Let each client fetch every path `rounds` times, a connection a round, all clients together.

    With `until` (of `time.monotonic`) a client stops after the round in which that moment came.
    """
    load = Load()

    async def client() -> None:
        for _ in range(rounds):
            try:
                reader, writer = await asyncio.open_connection(HOST, port)
                for path in paths:
                    await fetch(reader, writer, path)
                writer.close()
                await writer.wait_closed()
            except (OSError, asyncio.IncompleteReadError, ValueError) as error:
                load.errors.append(repr(error))
            if until and time.monotonic() > until:
                break

    async def fetch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> None:
        start = time.monotonic()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].split("\r\n")[0])
        load.received += len(await reader.readexactly(length))
        load.statuses[int(head.split()[1])] += 1
        load.waits.append(time.monotonic() - start)

    async def everyone() -> None:
        await asyncio.gather(*(client() for _ in range(clients)))

    asyncio.run(everyone())
    return load
