import asyncio
import socket

import pytest

from router.errors import ConfigurationError
from router.local.sockets import address_of, listen


def test_any_free_port_is_told():
    with listen("127.0.0.1", 0, "--port") as listening:
        host, port = address_of(listening)
        with socket.create_connection((host, port), timeout=5):
            pass
    assert host == "127.0.0.1"


def test_a_port_that_is_taken_is_told_with_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"port {port} is taken by another program: --port {port + 1} is"):
            listen("127.0.0.1", port, "--port")


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(ConfigurationError, match=r"192\.0\.2\.1:0 cannot be listened to: "):
        listen("192.0.2.1", 0, "--port")


def test_parts_of_an_answer_are_sent_at_once() -> None:
    async def delays() -> bool:
        listening = listen("127.0.0.1", 0, "--port")
        told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            told.set_result(not writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(connected, sock=listening):
            _, writer = await asyncio.open_connection(*address_of(listening))
            found = await told
            writer.close()
            await writer.wait_closed()
        return found

    assert asyncio.run(delays()) is False
