"""Tests of one conversation in three dialects, with the programs that people use, under each model."""

import json
import subprocess
import threading

import pytest

from tests.running import PATIENCE, RichPeer, Server

# The talk's own client: one thread prints the lines that arrive, the main thread sends the typed ones.
RUBY_CLIENT = """
require 'socket'
nick, host, port = ARGV
server = TCPSocket.new host, port
server.puts nick
reader = Thread.new { while line = server.gets do puts line; $stdout.flush end }
while line = $stdin.gets do server.puts line end
server.close_write
reader.join
"""


def test_the_plain_and_the_rich_hear_each_other(room: Server) -> None:
    ada, bob, cleo = room.plain("ada"), room.plain("bob"), room.rich("cleo")
    ada.say("is this thing on?")
    bob.expect("ada: is this thing on?")
    assert cleo.expect("said")["text"] == "is this thing on?"
    cleo.say("loud and clear", id="1")
    ada.expect("cleo: loud and clear")
    bob.expect("cleo: loud and clear")
    assert cleo.expect("said")["id"] == "1"


def test_a_plain_person_does_not_hear_itself(room: Server) -> None:
    ada, bob = room.plain("ada"), room.plain("bob")
    ada.say("one")
    bob.expect("ada: one")
    bob.say("two")
    assert not any("ada: one" in line for line in ada.expect("bob: two"))


def test_all_members_get_all_lines_in_the_same_order(room: Server) -> None:
    speakers = [room.plain("ada"), room.rich("bob"), room.rich("cleo")]
    listeners = [room.rich("dan"), room.rich("eve")]

    def talk(peer: RichPeer) -> None:
        for number in range(100):
            peer.say(f"{number}")

    threads = [threading.Thread(target=talk, args=(peer,)) for peer in speakers]
    for thread in threads:
        thread.start()
    heard = [[said_by(listener) for _ in range(300)] for listener in listeners]
    for thread in threads:
        thread.join()
    assert heard[0] == heard[1]
    for nick in ("ada", "bob", "cleo"):
        assert [text for speaker, text, _ in heard[0] if speaker == nick] == [str(number) for number in range(100)]
    numbers = [seq for _, _, seq in heard[0]]
    assert numbers == sorted(set(numbers))


def said_by(listener: RichPeer) -> tuple[str, str, int]:
    said = listener.expect("said")
    return said["nick"], said["text"], said["seq"]


def test_seq_has_no_gaps(room: Server) -> None:
    ada, bob = room.rich("ada"), room.rich("bob")
    for number in range(20):
        ada.say(f"{number}")
        if number % 5 == 0:
            bob.command("rename", nick=f"bob{number}")
        else:
            bob.say("and I")
    ada.sync()
    bob.sync()
    events = [event for event in map(json.loads, ada.heard) if event["type"] != "welcome"]
    numbers = [event["seq"] for event in events if "seq" in event]
    assert numbers == list(range(ada.welcome["seq"] + 1, numbers[-1] + 1))


def test_commands_of_the_plain_dialect(room: Server) -> None:
    ada, bob = room.plain("ada"), room.plain("bob")
    ada.say("/me waves")
    bob.expect("* ada waves")
    ada.say("//help is a command")
    bob.expect("ada: /help is a command")
    ada.say("/who")
    ada.expect("*** 2 here: ada, bob")
    ada.say("/nick lovelace")
    bob.expect("*** ada is now lovelace")
    ada.say("/status")
    ada.expect(f"*** model {room.model}, ")
    ada.say("/help")
    ada.expect("***   //TEXT")
    ada.say("/nonsense")
    ada.expect("*** there is no command")
    ada.say("/quit")
    ada.expect("*** goodbye")
    bob.expect("*** lovelace left")


def test_served_by_names_the_server_of_each_member(room: Server) -> None:
    ada, bob = room.rich("ada"), room.rich("bob")
    served = ada.welcome["served_by"], bob.welcome["served_by"]
    if room.model == "event":
        assert served == ("event loop", "event loop")
    else:
        kind, number = served[0].split()
        assert kind == room.model
        assert served[1].startswith(kind)
        assert served[1] != served[0]
        if kind == "process":
            assert int(number) in {child.pid for child in room.children()}


@pytest.mark.needs("nc")
def test_line_of_nc_that_half_closes_at_once_is_delivered(room: Server) -> None:
    bob = room.plain("bob")
    host, port = room.address
    if "-N" not in subprocess.run(["nc", "-h"], capture_output=True, text=True).stderr:
        pytest.skip("this nc cannot close its side at the end of its input")
    told = subprocess.run(
        ["nc", "-N", host, str(port)], input=b"ada\nhi\n", capture_output=True, timeout=PATIENCE, check=True
    )
    bob.expect("ada: hi")
    bob.expect("*** ada left")
    assert told.stdout.startswith(b"Connected to chat server\n")


@pytest.mark.needs("ruby")
def test_the_talks_own_ruby_client_takes_part(room: Server) -> None:
    bob = room.plain("bob")
    command = ["ruby", "-e", RUBY_CLIENT, "matz", *map(str, room.address)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdin
        assert client.stdout
        assert client.stdout.readline() == "Connected to chat server\n"
        client.stdin.write("from ruby with love\n")
        client.stdin.flush()
        bob.expect("matz: from ruby with love")
        bob.say("from python as well")
        while (line := client.stdout.readline()) != "bob: from python as well\n":
            assert line.startswith("*** ")
        client.stdin.close()
        client.wait(PATIENCE)
    bob.expect("*** matz left")


@pytest.mark.needs("telnet")
def test_telnet_takes_part(room: Server) -> None:
    bob = room.plain("bob")
    command = ["telnet", *map(str, room.address)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdin
        client.stdin.write("tina\nhello from a teletype\n")
        client.stdin.flush()
        bob.expect("tina: hello from a teletype")
        client.stdin.close()
        client.wait(PATIENCE)
    bob.expect("*** tina left")


def test_the_line_ends_of_telnet(room: Server) -> None:
    bob, tina = room.plain("bob"), room.connect()
    tina.send(b"tina\r\nhello\r\nagain\n")
    bob.expect("tina: hello")
    assert bob.said() == "tina: again"


def test_half_closed_reader_still_gets_its_last_lines(room: Server) -> None:
    ada, bob = room.plain("ada"), room.plain("bob")
    bob.say("before")
    ada.expect("bob: before")
    ada.send(b"/who\n")
    ada.half_close()
    lines = ada.lines_until_closed()
    assert any("2 here" in line for line in lines)
    bob.expect("*** ada left")
