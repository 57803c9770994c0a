"""Tests of the Room under any sequence of commands, against a simple model of it.

One member, the witness, is always present. The events that it gets are the one order. A `who` of the witness after each
step tells the `seq` at that step. So the bytes for each other connection are known exactly.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from protocol.dialects import DIALECTS, Dialect
from protocol.messages import (
    Goodbye,
    Hello,
    Model,
    ModelSwitched,
    Notice,
    People,
    Ping,
    Pong,
    Quit,
    Refused,
    Rename,
    Resume,
    Said,
    Say,
    Welcome,
    Who,
)
from server.room.names import keys
from tests.server.room_model import HISTORY, KEEP, WITNESS, Link, Person, RoomModel
from tests.server.without_sockets import UNLIMITED

NICKS = ["ada", "Ada", "\u0430da", "bob", "b0b", "cleo", "dan"]

dialects = st.sampled_from([*DIALECTS.values()])
slots = st.integers(0, 4)
nicks = st.sampled_from(NICKS)
ids = st.sampled_from(["", "1", "2", "3"])
afters = st.just(-1) | st.integers(0, 30) | st.just(2**53)


class RoomAgainstModel(RoomModel):
    @initialize()
    def the_witness_comes(self) -> None:
        assert self.connect().number == WITNESS
        self.enter(self.links[WITNESS], Hello("witness"))

    @rule(slot=slots)
    def open(self, slot: int) -> None:
        """Connect. The previous connection in this slot goes on, and its member may be taken over."""
        self.slots[slot] = self.connect()

    @rule(
        slot=slots,
        nick=nicks,
        dialect=dialects,
        back=st.none() | st.integers(-1, 6),
        after=afters,
    )
    def hello(self, slot: int, nick: str, dialect: Dialect, back: int | None, after: int) -> None:
        if (link := self.slots[slot]) is None:
            return
        resume = None
        if back is not None and dialect.tracks_room:
            token = self.people[back % len(self.people)].token if back >= 0 else "made up"
            resume = Resume(token, after if after >= 0 else len(self.log))
        self.enter(link, Hello(nick, resume, dialect.name))

    def enter(self, link: Link, hello: Hello) -> None:
        person = next((p for p in self.people if hello.resume and p.token == hello.resume.token), None)
        if person is not None and person.connection is self.links[WITNESS]:
            return
        if link.let_go:
            self.room.apply(link.number, hello, self.now)
        elif link.person is not None:
            self.room.apply(link.number, hello, self.now)
            self.expect(link, Refused("already-joined", f"you are in the room as {link.person.nick}"))
        elif not self.free(hello.nick, person) and DIALECTS[hello.dialect].tracks_room and person is None:
            link.dialect = DIALECTS[hello.dialect]
            self.refused_name(link, hello.nick)
            self.room.apply(link.number, hello, self.now)
        else:
            self.let_in(link, hello, person)
        self.step_ends()

    def let_in(self, link: Link, hello: Hello, person: Person | None) -> None:
        link.dialect = DIALECTS[hello.dialect]
        wanted = self.free(hello.nick, person)
        self.room.apply(link.number, hello, self.now)
        seat = self.room.seats[link.number]
        assert seat.member is not None
        nick, token = seat.member.nick, seat.member.token
        assert nick == hello.nick if wanted else self.free(nick, person)
        resumed = person is not None
        if person is None:
            assert all(token != other.token for other in self.people)
            self.people.append(person := Person(token, nick, link))
        elif (old := person.connection) is not None:
            self.expect(old, Goodbye("taken-over", "you are here on another connection now"), leaves=True)
            old.person, old.let_go = None, True
        assert person.token == token
        person.nick, person.connection, link.person = nick, link, person
        after = hello.resume.after if hello.resume and resumed else None
        model, connections = self.room.model, len(self.room.seats)
        people = sum(person.connection is not None for person in self.people)

        def welcome(seq: int) -> Welcome:
            said = [event for event in self.log[:seq] if isinstance(event, Said)]
            later = self.log[after:seq] if after is not None else []
            history = said[-HISTORY:] if after is None else later[-KEEP:]
            return Welcome(
                you=nick,
                token=token,
                seq=seq,
                model=model,
                connections=connections,
                served_by="event loop",
                limits=UNLIMITED,
                nonce=seat.nonce,
                history=history,
                missed=len(later) - len(history) if after is not None else 0,
                resumed=after is not None,
                asked="" if nick == hello.nick else hello.nick,
                rules=self.room.moderation.rules,
                people=people,
            )

        self.expect(link, welcome, joins=True)

    @rule(slot=slots | st.just(-1), id=ids, text=st.sampled_from(["hi", "a\nb", "*** bob left"]), action=st.booleans())
    def say(self, slot: int, id: str, text: str, action: bool) -> None:
        link = self.links[WITNESS] if slot < 0 else self.slots[slot]
        if link is None:
            return
        if (person := self.member_of(link)) is not None:
            if id and id in person.results:
                first = person.results[id]
                self.expect(link, lambda seq: self.answer_again(first, text, seq))
            else:
                if id:
                    person.results[id] = len(self.told)
                self.told.append((Said(0, person.nick, text, self.now, id, action), link.number))
        self.room.apply(link.number, Say(id, text, action), self.now)
        self.step_ends()

    @rule(slot=slots | st.just(-1), nick=nicks)
    def rename(self, slot: int, nick: str) -> None:
        link = self.links[WITNESS] if slot < 0 else self.slots[slot]
        if link is None:
            return
        if (person := self.member_of(link)) is not None:
            if self.free(nick, person):
                person.nick = nick
            else:
                self.refused_name(link, nick)
        self.room.apply(link.number, Rename(nick), self.now)
        self.step_ends()

    @rule(slot=slots)
    def who_and_ping(self, slot: int) -> None:
        if (link := self.slots[slot]) is None:
            return
        if self.member_of(link) is not None:
            here = sorted((person.nick for person in self.present()), key=str.casefold)
            rich = link.dialect.tracks_room
            self.expect(link, self.people_at if rich else lambda seq: People(seq, here))
            self.expect(link, Pong("p"))
            self.room.apply(link.number, Who(), self.now)
        self.room.apply(link.number, Ping("p"), self.now)
        self.step_ends()

    @rule(slot=slots)
    def quit(self, slot: int) -> None:
        if (link := self.slots[slot]) is None:
            return
        self.room.apply(link.number, Quit(), self.now)
        if not link.let_go:
            self.expect(link, Goodbye("quit", "see you"), leaves=True)
        self.gone(link)
        self.step_ends()

    @rule(slot=slots)
    def close(self, slot: int) -> None:
        if (link := self.slots[slot]) is None:
            return
        self.room.close(link.number)
        self.room.close(link.number)
        self.gone(link)
        self.slots[slot] = None
        del self.links[link.number]
        self.step_ends()

    @rule()
    def notice(self) -> None:
        self.told.append((Notice("back in five", 0, self.now), 0))
        self.room.broadcast(Notice("back in five", self.room.history.seq + 1, self.now))
        self.step_ends()

    @precondition(lambda self: self.room.model is not Model.THREAD)
    @rule()
    def switch(self) -> None:
        before, connections = self.room.model, len(self.room.seats)
        self.room.switch_to(Model.THREAD, self.now)
        self.room.end_switch(self.now + 0.5)
        self.told.append((ModelSwitched(0, self.now + 0.5, "thread", before, 0.5, connections), 0))
        self.step_ends()

    # Invariants

    @rule(seconds=st.sampled_from([0.0, 0.01, 0.1, 0.25, 5.0, -3.0]))
    def take(self, seconds: float) -> None:
        self.now += seconds
        for number, data, _ in self.room.flush(self.now):
            if number in self.links:
                self.links[number].stream += data
        assert not self.room.has_output
        self.read_the_order()
        for link in self.links.values():
            self.check(link)

    @rule()
    def settle(self) -> None:
        """After some time each client knows all members and its own nickname."""
        self.take(1.0)
        self.take(1.0)  # A clock that was set back may have reached the time of the last presence event again.
        assert self.rosters[-1] == {person.nick for person in self.present()}
        for person in self.present():
            assert person.connection is not None
            if person.connection.dialect.tracks_room:
                assert person.connection.known_as == person.nick
        names = [keys(person.nick) for person in self.present()]
        assert sum(map(len, names)) == len(frozenset().union(*names))

    def teardown(self) -> None:
        if WITNESS in self.links and self.links[WITNESS].person:
            self.settle()


TestRoomAgainstModel = RoomAgainstModel.TestCase
TestRoomAgainstModel.settings = settings(max_examples=200, stateful_step_count=40)
