"""Mail as files."""

import asyncio
from pathlib import Path

import pytest

from digest.errors import DeliveryError
from digest.mail.outbox import OutboxMailer
from digest.ports import Envelope


def send(folder: Path, message_id: str = "abc@digest.example.org", data: bytes = b"Subject: x\r\n\r\nbody\r\n") -> bool:
    """Sends one mail; whether `before_data` was called."""
    called = False

    async def before_data() -> None:
        nonlocal called
        called = True

    asyncio.run(OutboxMailer(folder).send(Envelope("a@b.example", "c@d.example", message_id, (data,)), before_data))
    return called


def test_a_mail_is_one_file_named_by_its_message_id(tmp_path: Path) -> None:
    send(tmp_path / "outbox")
    [file] = (tmp_path / "outbox").iterdir()
    assert file.name == "abc@digest.example.org.eml"
    assert file.read_bytes() == b"Subject: x\r\n\r\nbody\r\n"


def test_writing_again_gives_one_file_and_nothing_is_uncertain(tmp_path: Path) -> None:
    assert not send(tmp_path)
    assert not send(tmp_path, data=b"again")
    [file] = tmp_path.iterdir()
    assert file.read_bytes() == b"again"


@pytest.mark.parametrize("message_id", ["../escape@x", "/etc/passwd", ".hidden", "a" * 400 + "@x", "с@кириллица", ""])
def test_no_message_id_leaves_the_folder(tmp_path: Path, message_id: str) -> None:
    send(tmp_path / "outbox", message_id)
    [file] = (tmp_path / "outbox").iterdir()
    assert file.suffix == ".eml"
    assert [path.name for path in tmp_path.iterdir()] == ["outbox"]


def test_a_folder_that_cannot_be_written_is_an_error_that_may_pass(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DeliveryError) as caught:
        send(tmp_path / "file")
    assert caught.value.code is None and not caught.value.permanent and caught.value.server
