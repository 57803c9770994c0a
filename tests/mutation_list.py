"""The mutations of `make mutants`. The old text stands exactly once in its file, and must be kept equal to it."""

from typing import NamedTuple


class Mutation(NamedTuple):
    """A small mistake: `old` in the file becomes `new`."""

    file: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.file}: {' '.join(self.old.split())}  ->  {' '.join(self.new.split()) or '(nothing)'}"


PROTOCOL = (
    Mutation("protocol/framing.py", "len(self.data) > limit + 1:", "len(self.data) > limit:"),
    Mutation("protocol/framing.py", "return line if size <= limit", "return line if size < limit"),
    Mutation(
        "protocol/framing.py",
        "size, self.dropped_bytes = self.dropped_bytes + len(line), 0",
        "size = self.dropped_bytes + len(line)",
    ),
    Mutation("protocol/plain_text.py", 'return Say("", text[1:])', 'return Say("", text[2:])'),
    Mutation("protocol/format.py", "named = list(nicks[:max_named])", "named = list(nicks)"),
    Mutation("protocol/format.py", "if event.rules.pin:", "if not event.rules.pin:"),
    Mutation(
        "protocol/json_lines.py",
        "except (msgspec.DecodeError, RecursionError, ValueError):",
        "except (msgspec.DecodeError, ValueError):",
    ),
    Mutation("protocol/client.py", "case People() if event.seq >= self.seq:", "case People():"),
    Mutation("protocol/client.py", "Resume(self.token, self.seq)", "Resume(self.token, self.seq + 1)"),
    Mutation(
        "protocol/client.py",
        "        self._lines, self._out = LineBuffer(), bytearray()\n        self.in_room",
        "        self._out = bytearray()\n        self.in_room",
    ),
    Mutation("protocol/framing.py", "return size if len(data) - offset >= size else None", "return size"),
    Mutation("protocol/sanitize.py", "if marks > MAX_MARKS or not has_base", "if not has_base"),
    Mutation("protocol/nicknames.py", "if not nick[0].isalnum():", "if not nick[-1].isalnum():"),
)
SESSION = (
    Mutation("server/session.py", "            self.last_line_at = now\n", ""),
    Mutation("server/session.py", "if len(say.text) > self.limits.text:", "if len(say.text) >= self.limits.text:"),
    Mutation("server/session.py", "self.welcome_bytes = len(data)", "self.welcome_bytes = 0"),
    Mutation("server/session.py", "del self.unsent[end:]", "self.unsent.clear()"),
    Mutation(
        "server/session.py",
        "return not self.eof_received and (self.is_leaving or self.allowance.has_token(now))",
        "return not self.eof_received",
    ),
    Mutation("server/session.py", " and now >= self.last_line_at + BURST_RESET", ""),
    Mutation("server/session.py", "return not self.lines.has_line and self.allowance", "return self.allowance"),
    Mutation("server/session.py", "max(self.join_by, self.last_line_at + JOIN_GRACE)", "self.join_by"),
    Mutation("server/session_types.py", "((one | other) & flags) | max(one & ~flags, other & ~flags)", "one | other"),
    Mutation("server/session.py", "            self.has_unreported_end = True\n", ""),
    Mutation("server/session.py", "deadline = min(deadline, self.last_progress_at + WRITE_TIMEOUT)", "pass"),
    Mutation("server/session.py", "if self.state > State.CONNECTING else", "if True else"),
    Mutation("server/token_bucket.py", "return min(float(self.burst), self.tokens", "return max(0.0, self.tokens"),
)
BROADCAST = (
    Mutation("server/places.py", "now >= oldest.since + EVICTABLE_AFTER_S", "now > oldest.since"),
    Mutation("server/places.py", "self._nameless[largest] > self._nameless[group] + 1", "self._nameless[largest]"),
    Mutation(
        "server/connection.py",
        "[connection for connection in connections if not connection.session.unsent]",
        "list(connections)",
    ),
    Mutation("server/connection.py", "memoryview(data)[took.get(connection, 0) :]", "memoryview(data)"),
    Mutation("server/connection.py", "taken.append(prompt[len(taken)].write(data))", "taken.append(len(data))"),
    Mutation(
        "server/connection.py", "sent = 0 if self.session.unsent else self.write(data)", "sent = self.write(data)"
    ),
)
ROOM = (
    Mutation("server/room/outbox.py", "if one.author != number]", "]"),
    Mutation(
        "server/room/outbox.py",
        "if direct.flags & DeliveryFlags.JOINED), 0)",
        "if direct.flags & DeliveryFlags.JOINED and False), 0)",
    ),
    Mutation("server/room/outbox.py", "if not flags & DeliveryFlags.CLOSE:", "if True:"),
    Mutation(
        "server/room/outbox.py", "self.audience.get(number) or self.departed.get(number)", "self.audience.get(number)"
    ),
    Mutation("server/room/history.py", "if 0 <= ago < len(self._events)", "if 0 <= ago <= len(self._events)"),
    Mutation("server/room/history.py", "if total + size > max_bytes:", "if total > max_bytes:"),
    Mutation("server/room/roster.py", "        if before == nick:\n", "        if False:\n"),
    Mutation("server/room/roster.py", "self.old_nicks.add(before)", "pass"),
    Mutation("server/room/moderation.py", 'one.token == token != ""', "one.token == token"),
    Mutation("server/room/moderation.py", "if self.rules.locked and member is None:", "if self.rules.locked:"),
    Mutation("server/room/moderation.py", "self._next_line_at[member.token] = now + self.rules.slow", "pass"),
    Mutation("server/room/room.py", "            self.reserved.discard(number)\n", ""),
    Mutation(
        "server/room/room.py",
        "outbox.audience = self.audience.without() if outbox.broadcasts else Audience()",
        "outbox.audience = self.audience",
    ),
    Mutation(
        "server/room/room.py",
        "= self.model, self.next_model, None, False\n        pause",
        "= self.model, self.next_model, None, True\n        pause",
    ),
    Mutation(
        "server/room/admission.py", "if nick in room.presence.old_nicks or known_as != nick:", "if known_as != nick:"
    ),
    Mutation("server/room/admission.py", "elif not member.connection_id:", "else:"),
    Mutation("server/room/inbox.py", "self.room.abort(number)", "pass"),
    Mutation("server/room/inbox.py", "self._requests.popleft()", "self._requests.pop()"),
    Mutation("server/room/roster.py", "        self._former.remove(member.token)\n", ""),
    Mutation("server/room/requests.py", "    member.remember(asked.id, said)\n", ""),
    Mutation("server/room/requests.py", "if member.token in room.presence.changed:", "if False:"),
    Mutation("server/room/operators.py", "                self._wrong.consume(now)\n", ""),
    Mutation("server/room/state.py", "        if self.seats[number].is_closing:\n            return\n", ""),
    Mutation("server/room/stats.py", "latency = max(0.0, now - at)", "latency = now - at"),
)
BROWSERS = (
    Mutation("server/session.py", "            self.eof_received |= self.frames.is_closed\n", ""),
    Mutation("server/session.py", "            self._charge(received.overhead, now)\n", ""),
    Mutation("protocol/websocket.py", "allowed = size + (size == _LF)", "allowed = size"),
    Mutation("protocol/websocket.py", "if _SHORT < size <= 2 * _SHORT:", "if False:"),
    Mutation("protocol/websocket.py", "        if first & _RESERVED:\n", "        if False:\n"),
    Mutation("protocol/websocket.py", "size + len(self.message) > max_bytes", "size > max_bytes"),
    Mutation("protocol/http.py", "name in fields and name in", "False and name in"),
    Mutation("protocol/http.py", "place == host.lower()", "place.startswith(host.lower())"),
    Mutation("server/web_requests.py", "if len(self._heard) > MAX_HEARD:", "if False:"),
    Mutation("server/web_site.py", "if not is_local_host(request.host, self._names):", "if False:"),
    Mutation("server/listener.py", "if not full or self._places.count(group) or", "if not full or"),
)
CLIENT = (
    Mutation("tui/client.py", "self._is_live = welcome.resumed or not welcome.history", "self._is_live = True"),
    Mutation("tui/client.py", "not was_sent_here and said.nick != self.nick:", "said.nick != self.nick:"),
    Mutation("tui/client.py", "return self.shows_own_lines or not was_sent_here", "return True"),
    Mutation("tui/client_view.py", "            self._unshown += items\n", "            pass\n"),
    Mutation("tui/client.py", "is_roster_due or self.nick not in self.people:", "is_roster_due:"),
    Mutation("tui/client.py", "        self.awaited = AwaitedAnswers()\n        if", "        if"),
    Mutation("tui/awaited_answers.py", "deque([False])", "deque()"),
    Mutation("tui/client.py", "            del unsaid[refused.id]\n", ""),
    Mutation("tui/client.py", "if isinstance(event, Goodbye) and not self.is_welcome:", "if False:"),
    Mutation("tui/client.py", 'self.is_welcome and state.phase == "online"', "self.is_welcome"),
    Mutation("tui/client.py", "0.0 if self.is_operator else self.rules.slow", "self.rules.slow"),
    Mutation("tui/client.py", 'replace(self.status, model=event.model, served_by="")', "self.status"),
    Mutation("tui/client.py", "        self.slow_mode_queue.on_answer(refused.id)\n        if", "        if"),
    Mutation("tui/client.py", "if refused.code in NICKNAME_CODES and not self.in_room:", "if False:"),
)
SSH = (
    Mutation("protocol/door.py", " + CUT + message.text[-half:]", ""),
    Mutation("server/ssh_door.py", "                os.set_inheritable(descriptors[0], False)\n", ""),
    Mutation(
        "server/ssh_door.py", "            for descriptor in descriptors:\n                os.close(descriptor)\n", ""
    ),
    Mutation("server/ssh_door.py", "            self._given_up = True\n", ""),
    Mutation("server/ssh_door.py", "if now - self._started_at >= STABLE_AFTER_S:", "if False:"),
    Mutation("tui/ssh/arrivals.py", "len(self) >= MAX_ARRIVALS or ", ""),
    Mutation("tui/ssh/arrivals.py", "        if not self._counts[group]:\n            del self._counts[group]\n", ""),
    Mutation("tui/ssh/host_key.py", "if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):", "if False:"),
    Mutation(
        "tui/ssh/host_key.py", "        os.link(new, path)\n", "        new.replace(path)\n        os.link(path, new)\n"
    ),
    Mutation("tui/ssh/output.py", "if not self._held and self._unsent() <=", "if self._unsent() <="),
    Mutation("tui/ssh/output.py", "        self._held_characters = self._lost = 0\n", ""),
    Mutation("tui/ssh/editor.py", "if self._shown != (line, cursor):", "if self._shown is None:"),
    Mutation("tui/line/client.py", "parsed.name in self._absent:", "False:"),
    Mutation(
        "tui/ssh/session.py", "            await self._client.wait_until(lambda: self._client.may_say_more)\n", ""
    ),
)
MUTATIONS: tuple[Mutation, ...] = (*PROTOCOL, *SESSION, *BROADCAST, *ROOM, *BROWSERS, *CLIENT, *SSH)
