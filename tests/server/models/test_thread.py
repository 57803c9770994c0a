"""What only the thread model promises: a slow reader gets a second thread, which writes until it has caught up."""

from tests.running import Server, wait_until
from tests.server.limits import SETS_LIMITS, limited, ordinary_user
from tests.server.slow import NEEDS_PROC, fill, lines_heard, slow_peer


@NEEDS_PROC
def test_a_slow_reader_has_a_second_thread_until_it_has_caught_up(start_server) -> None:
    server: Server = start_server("thread")
    slow, talker = slow_peer(server), server.rich("talker")
    talker.sees("slow")
    threads = server.process.num_threads()
    lines = fill(server, slow, talker)
    assert server.process.num_threads() == threads + 1
    assert lines_heard(slow, last=lines[-1]) == lines
    wait_until(lambda: server.process.num_threads() == threads, "the second thread has ended")


@NEEDS_PROC
@SETS_LIMITS
def test_a_slow_reader_for_whom_no_thread_is_to_be_had_is_served_later(start_server) -> None:
    user = ordinary_user()
    server: Server = start_server("thread", prefix=user)
    slow, talker = slow_peer(server), server.rich("talker")
    talker.sees("slow")
    threads = server.process.num_threads()
    with limited(server, "nproc", 1, user):
        lines = fill(server, slow, talker)
        assert server.process.num_threads() == threads
    assert lines_heard(slow, last=lines[-1]) == lines
