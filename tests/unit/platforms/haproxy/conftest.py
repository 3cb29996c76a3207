"""A runtime socket that says what a test wrote, good or bad."""

import asyncio
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest


class ScriptedSocket:
    """Answers each line with the next text of `answers`, or for ever with the last; what came is in `heard`."""

    def __init__(self, path):
        self.path = path
        self.answers = {}
        """First words of a line -> texts to say in turn; None hangs, a callable is given the writer."""
        self.heard = []

    async def serve(self, reader, writer):
        with suppress(OSError):
            line = (await reader.readline()).decode().rstrip("\n")
            self.heard.append(line)
            texts = next(texts for start, texts in self.answers.items() if line.startswith(start))
            text = texts.pop(0) if len(texts) > 1 else texts[0]
            if callable(text):
                await text(writer)
            elif text is None:
                await reader.read()
            else:
                writer.write(text.encode())
                await writer.drain()
        writer.close()


@pytest.fixture
async def scripted():
    directory = Path(tempfile.mkdtemp(prefix="mwh-"))
    script = ScriptedSocket(directory / "haproxy.sock")
    server = await asyncio.start_unix_server(script.serve, script.path)
    try:
        yield script
    finally:
        server.close()
        shutil.rmtree(directory)
