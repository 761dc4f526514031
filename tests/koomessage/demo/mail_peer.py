"""The demo's mail server in a thread of the test."""

import asyncio
import threading

from koomessage.demo.inbox import InboxWriter
from koomessage.demo.smtp_server import make_server


class MailPeer:
    def __init__(self, writer: InboxWriter) -> None:
        self.loop = asyncio.new_event_loop()
        self.port = 0
        ready = threading.Event()

        def run() -> None:
            server = self.loop.run_until_complete(
                self.loop.create_server(make_server(writer, self.loop), "127.0.0.1", 0)
            )
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            self.loop.run_forever()
            server.close()
            for job in asyncio.all_tasks(self.loop):
                job.cancel()
            self.loop.run_until_complete(asyncio.sleep(0))
            self.loop.close()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        assert ready.wait(5)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
