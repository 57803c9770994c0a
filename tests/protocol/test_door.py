import pytest

from protocol.door import CUT, MAX_MESSAGE_BYTES, Guest, Malformed, Message, Ready, Report, decode, encode


@pytest.mark.parametrize(
    "message", [Guest("192.0.2.7"), Guest("fe80::1%eth0"), Ready("SHA256:x"), Report("error", "é")]
)
def test_message_comes_back_from_its_datagram(message: Message) -> None:
    assert decode(encode(message)) == message


@pytest.mark.parametrize("unit", ["x", "李", "\U0001f600", '"\\\n', "\x00"])
def test_long_report_keeps_its_ends_and_fits_into_a_datagram(unit: str) -> None:
    datagram = encode(Report("error", f"begin{unit * 5000}end"))
    assert len(datagram) <= MAX_MESSAGE_BYTES
    message = decode(datagram)
    assert isinstance(message, Report)
    assert message.text.startswith("begin")
    assert CUT in message.text
    assert message.text.endswith("end")


@pytest.mark.parametrize("datagram", [b"", b"\xff", b"{}", b'{"type":"guest"}', b'{"type":"other"}', b"[" * 100_000])
def test_other_datagrams_are_malformed(datagram: bytes) -> None:
    with pytest.raises(Malformed):
        decode(datagram)
