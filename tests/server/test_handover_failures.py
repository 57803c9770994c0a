"""A model that cannot take over, as the system really has no resources left: no connection is dropped."""

import contextlib

import pytest

from protocol.messages import Model
from tests.running import Server, wait_until
from tests.server.limits import SETS_LIMITS, highest_descriptor, limited, ordinary_user
from tests.server.talk import runs_by, talk_of_eight


@SETS_LIMITS
@pytest.mark.parametrize(("after", "most"), [(after, most) for after in ("thread", "process") for most in (1, 4, 8)])
def test_a_model_that_cannot_start_hands_back(start_server, after: str, most: int) -> None:
    user = ordinary_user()
    if most > 1 and not user:
        pytest.skip("a limit on processes that only this server shares needs a user of its own")
    server: Server = start_server("event", prefix=user)
    with talk_of_eight(server) as boss:
        with limited(server, "nproc", most, user):
            boss.command("switch", model=after)
            refused = boss.expect("refused")
        assert refused["code"] == "switch-failed"
        assert after in refused["reason"]
        assert boss.status()["model"] == "event"
        assert boss.status()["connections"] == 8
        runs_by(server, "event", connections=8)
    assert boss.switch(after)["carried"] == 8


@SETS_LIMITS
@pytest.mark.parametrize(("before", "after"), [("thread", "process"), ("process", "thread")])
def test_event_model_goes_on_if_the_previous_one_cannot(start_server, before: str, after: str) -> None:
    user = ordinary_user()
    server: Server = start_server(before, prefix=user)
    with talk_of_eight(server) as boss:
        with limited(server, "nproc", 1, user):
            boss.command("switch", model=after)
            assert boss.expect("refused")["code"] == "switch-failed"
            switched = boss.expect("switched")
        assert (switched["before"], switched["model"], switched["carried"]) == (before, "event", 8)
        runs_by(server, "event", connections=8)
    assert boss.switch(after)["carried"] == 8


@SETS_LIMITS
def test_thread_model_without_memory_hands_back(start_server) -> None:
    server: Server = start_server("process")
    with talk_of_eight(server) as boss:
        with limited(server, "as", server.process.memory_info().vms + 20 * 2**20):
            boss.command("switch", model="thread")
            assert boss.expect("refused")["code"] == "switch-failed"
        assert boss.status()["model"] == "process"
        assert boss.status()["connections"] == 8
    assert boss.switch("thread")["carried"] == 8


@SETS_LIMITS
@pytest.mark.parametrize(
    ("before", "spare"),
    # The process model needs some 20. A thread model that stops gives it eight, and takes them again.
    [
        ("event", 1),
        ("event", 2),
        ("event", 4),
        ("event", 12),
        ("thread", 1),
        ("thread", 2),
        ("thread", 4),
        ("thread", 8),
    ],
)
def test_process_model_without_descriptors_hands_back(start_server, before: str, spare: int) -> None:
    server: Server = start_server(before)
    with talk_of_eight(server) as boss:
        boss.sync()
        with limited(server, "nofile", highest_descriptor(server) + spare):
            boss.command("switch", model="process")
            assert boss.expect("refused")["code"] == "switch-failed"
        assert boss.status()["model"] == before
        assert boss.status()["connections"] == 8
    assert boss.switch("process")["carried"] == 8


@pytest.mark.parametrize("model", list(Model))
def test_error_in_the_running_model_drops_no_connection(start_server, model: str) -> None:
    server: Server = start_server(model, sabotage="door_fails", fails=True)
    gone = server.plain("gone")
    with talk_of_eight(server) as boss:
        gone.close()
        boss.say("poison", id="1")
        boss.expect("said", id="1")
        newcomer = server.rich("newcomer")
        assert newcomer.welcome["served_by"] == "event loop"
        assert boss.status()["connections"] == 9
        runs_by(server, "event", connections=9)
    log = server.log()
    assert f"the {model} model has failed" in log
    assert "a bug at the door" in log
    assert log.count("Traceback (most recent call last)") == 1
    assert boss.switch("thread")["carried"] == 9


@pytest.mark.parametrize("model", list(Model))
def test_all_members_get_a_goodbye_if_no_model_can_go_on(start_server, model: str) -> None:
    server: Server = start_server(model, sabotage="door_stays_broken", fails=True)
    ada, bob = server.plain("ada"), server.rich("bob")
    bob.say("poison", id="1")
    bob.expect("said", id="1")
    wait_until(lambda: knock(server) or server.ended(), "it has ended")
    assert bob.expect("goodbye")["reason"] == "the server has failed"
    assert ada.lines_until_closed()[-1] == "*** goodbye: the server has failed"
    assert "the server has failed because of a bug, and all connections have ended" in server.log()


def knock(server: Server) -> None:
    """Connect once. This may not be enough: a connection that comes while others are admitted is admitted too."""
    with contextlib.suppress(OSError):
        server.connect()
