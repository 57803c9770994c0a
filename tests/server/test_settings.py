import pytest

from protocol.messages import Limits, Model
from server.settings import (
    FIELDS,
    Address,
    RateLimit,
    SettingRefused,
    Settings,
    SshListener,
    from_environment,
    from_flags,
    from_toml,
    merge,
    parse_address,
    parse_rate_limit,
)

FILE = "/etc/chat/config.toml"


def refusal_of_file(text: str | bytes) -> str:
    with pytest.raises(SettingRefused) as refused:
        from_toml(text if isinstance(text, bytes) else text.encode(), FILE)
    return str(refused.value)


# Defaults


def test_without_any_source_the_defaults_hold() -> None:
    settings = merge()
    assert settings.model is Model.EVENT
    assert list(map(str, settings.bind)) == ["127.0.0.1:2000"]
    assert (settings.history, settings.keep) == (50, 10_000)
    assert (settings.motd, settings.operator_key_file, settings.log_format) == ("", "", "text")


def test_the_default_limits_are_those_the_protocol_declares() -> None:
    assert Settings().limits() == Limits()


def test_the_limits_are_made_from_the_settings() -> None:
    values = {"max-line": "512", "rate-limit": "5/0.5", "join-timeout": "3", "idle-timeout": "60"}
    limits = merge(from_flags(values)).limits()
    assert limits == Limits(line=512, burst=5, rate=0.5, join_timeout=3.0, idle_timeout=60.0)


def test_bind_takes_several_addresses_from_every_source() -> None:
    several = (Address("127.0.0.1", 2000), Address("::1", 2001))
    assert merge(from_flags({"bind": ("127.0.0.1:2000", "[::1]:2001")})).bind == several
    assert merge(from_environment({"CHAT_SERVER_BIND": "127.0.0.1:2000 [::1]:2001"})).bind == several
    assert merge(from_toml(b'bind = ["127.0.0.1:2000", "[::1]:2001"]', FILE)).bind == several
    assert merge(from_toml(b'bind = "127.0.0.1:2000"', FILE)).bind == several[:1]


@pytest.mark.parametrize(("item", "shown"), [('"2000"', "'2000'"), ("2000", "2000"), ('""', "''")])
def test_bind_refuses_an_item_that_is_no_address(item: str, shown: str) -> None:
    refusal = refusal_of_file(f'bind = ["127.0.0.1:2000", {item}]')
    assert refusal.startswith(f"bind in the configuration file {FILE} must be HOST:PORT, with an IPv6 host in brackets")
    assert refusal.endswith(f"and is {shown}")


def test_bind_refuses_an_empty_list() -> None:
    assert refusal_of_file("bind = []").endswith("and is []")


# Precedence


def test_flag_beats_environment_and_that_beats_the_file() -> None:
    settings = merge(
        from_toml(b"history = 1\nkeep = 1\nmax-line = 300", FILE),
        from_environment({"CHAT_SERVER_HISTORY": "2", "CHAT_SERVER_KEEP": "2"}),
        from_flags({"history": "3"}),
    )
    assert (settings.history, settings.keep, settings.max_line) == (3, 2, 300)


@pytest.mark.parametrize("name", FIELDS)
def test_each_setting_comes_from_flag_environment_or_file(name: str) -> None:
    text = {
        "model": "thread", "bind": "[::1]:9", "rate-limit": "off", "motd": "/x", "operator-key-file": "-",
        "log-format": "json", "verbose": "2", "quiet": "true", "no-console": "true", "max-line": "999",
        "no-web": "true", "web-name": "chat.example.org",
        "ssh-host-key": "/x",
    }.get(name, "77")  # fmt: skip
    toml = text if text.isdigit() or name in ("quiet", "no-console", "no-web") else f'"{text}"'
    from_all = [
        merge(from_flags({name: text})),
        merge(from_environment({"CHAT_SERVER_" + name.upper().replace("-", "_"): text})),
        merge(from_toml(f"{name} = {toml}".encode(), FILE)),
    ]
    assert from_all[0] != Settings()
    assert from_all == [from_all[0]] * 3


@pytest.mark.parametrize(
    ("text", "listener"),
    [
        ("2022", SshListener(None, 2022)),
        ("0", SshListener(None, 0)),
        (":2022", SshListener("", 2022)),
        ("192.0.2.7:2022", SshListener("192.0.2.7", 2022)),
        ("[::1]:2022", SshListener("::1", 2022)),
    ],
)
def test_ssh_is_a_port_or_an_address(text: str, listener: SshListener) -> None:
    assert merge(from_flags({"ssh": text})).ssh == listener


@pytest.mark.parametrize("text", ["", "x", "65536", "::1:2022", "a b:1", "2022 ", "²"])
def test_ssh_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(SettingRefused, match="--ssh must be PORT or HOST:PORT"):
        from_flags({"ssh": text})


def test_ssh_in_the_file_may_be_a_number_and_no_truth_value() -> None:
    assert merge(from_toml(b"ssh = 2022", FILE)).ssh == SshListener(None, 2022)
    with pytest.raises(SettingRefused, match="must be PORT or HOST:PORT"):
        from_toml(b"ssh = true", FILE)


def test_stronger_source_decides_between_quiet_and_verbose() -> None:
    verbose, quiet = {"verbose": 2}, {"quiet": True}
    assert (merge(verbose, quiet).verbose, merge(verbose, quiet).quiet) == (0, True)
    assert (merge(quiet, verbose).verbose, merge(quiet, verbose).quiet) == (2, False)


def test_verbose_and_quiet_in_one_source_contradict_each_other() -> None:
    with pytest.raises(SettingRefused, match="verbose and quiet at once"):
        merge({"verbose": 1, "quiet": True})


# The environment


def test_an_empty_variable_counts_as_not_set() -> None:
    assert from_environment({"CHAT_SERVER_HISTORY": ""}) == {}


def test_variable_with_our_prefix_and_no_setting_is_ignored() -> None:
    assert from_environment({"CHAT_SERVER_PORT": "tcp://10.0.0.1:2000", "CHAT_SERVER_SERVICE_HOST": "x"}) == {}


def test_a_variable_that_will_not_do_is_named_in_full() -> None:
    with pytest.raises(SettingRefused) as refused:
        from_environment({"CHAT_SERVER_MAX_CLIENTS": "many"})
    assert str(refused.value).startswith("CHAT_SERVER_MAX_CLIENTS must be a whole number up to 1000000, ")


# The file


def test_unknown_key_is_refused_with_file_and_suggestion() -> None:
    told = refusal_of_file("max_client = 3")
    assert (
        told == f"the configuration file {FILE} has a key chat-server does not know: 'max_client'; is it max-clients?"
    )


def test_an_unknown_key_like_none_of_ours_gets_no_hint() -> None:
    assert refusal_of_file("xyzzy = 3").endswith("does not know: 'xyzzy'")


@pytest.mark.parametrize(
    "line",
    ['history = "50"', "history = 50.0", "history = true", "history = -1", "history = [50]", "history = 10_000_000"],
)
def test_wrong_value_is_refused_with_its_key_and_file(line: str) -> None:
    told = refusal_of_file(line)
    assert told.startswith(f"history in the configuration file {FILE} must be a number of lines up to 1000, and is ")


@pytest.mark.parametrize(
    "line",
    [
        "model = 1", 'model = "fork"', "bind = 2000", "[bind]\nhost = 1", "rate-limit = 10", "quiet = 1", 'motd = ""',
        "motd = 1", 'log-format = "xml"', "join-timeout = 0", "join-timeout = nan", "join-timeout = inf",
        'idle-timeout = "never"', "idle-timeout = -1", "verbose = 3", "max-line = 255",
    ],
)  # fmt: skip
def test_bad_setting_is_refused_in_one_sentence(line: str) -> None:
    told = refusal_of_file(line)
    assert f"the configuration file {FILE} must be " in told
    assert "\n" not in told
    assert "`" not in told  # the words of a library, not ours


def test_file_that_is_not_utf8_is_refused_with_the_remedy() -> None:
    start = f"the configuration file {FILE} is"
    assert refusal_of_file("history = 1".encode("utf-16")) == f"{start} UTF-16; save it as UTF-8"
    assert refusal_of_file(b"a = '\xff'") == f"{start} not UTF-8 (byte 6); save it as UTF-8"


@pytest.mark.parametrize("data", [b"history", b"history = 1\nhistory = 2", b"a = " + b"[" * 10_000])
def test_file_that_is_not_toml_is_refused_by_its_name(data: bytes) -> None:
    assert refusal_of_file(data).startswith(f"the configuration file {FILE} is not TOML: ")


def test_number_with_too_many_digits_is_refused_with_its_file() -> None:
    told = refusal_of_file("max-line = " + "9" * 5000)
    assert told == f"the configuration file {FILE} will not do: a number in it has too many digits"


@pytest.mark.parametrize(
    "text", [f'model = "{"x" * 10_000}"', "x" * 10_000 + " = 1", "max-line = 0x" + "f" * 10_000],
    ids=["a word", "a key", "a number that Python would not write down"],
)  # fmt: skip
def test_long_value_is_cut_in_the_refusal(text: str) -> None:
    assert len(refusal_of_file(text)) < 200


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("max-clients", "2000000", "a whole number up to 1000000, 0 for no limit"),
        ("max-per-ip", "9" * 50, "a whole number up to 1000000, 0 for no limit"),
        ("rate-limit", "1000000/5", "BURST/RATE, like 10/2 and neither above 999999, or off"),
        ("join-timeout", "100000", "a number of seconds from 0.1 to 86400"),
        ("join-timeout", "1e-320", "a number of seconds from 0.1 to 86400"),
        ("idle-timeout", "1e9", "a number of seconds up to 31536000, or off"),
    ],
)
def test_number_out_of_bounds_is_refused_with_the_bounds(name: str, value: str, told: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        from_flags({name: value})
    assert str(refused.value).startswith(f"--{name} must be {told}, and is '{value[:40]}")


def test_a_path_in_the_file_is_relative_to_the_files_folder() -> None:
    assert from_toml(b'motd = "motd.txt"', FILE) == {"motd": "/etc/chat/motd.txt"}
    assert from_toml(b'motd = "/motd.txt"', FILE) == {"motd": "/motd.txt"}


def test_standard_input_in_the_place_of_a_file_is_no_path() -> None:
    assert from_toml(b'operator-key-file = "-"', FILE) == {"operator-key-file": "-"}


# Addresses and rates


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:2000", "127.0.0.1", 2000),
        ("localhost:0", "localhost", 0),
        ("[::]:65535", "::", 65_535),
        ("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
        (":2000", "", 2000),
        ("zoë.example:1", "zoë.example", 1),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, host: str, port: int) -> None:
    assert parse_address(text) == Address(host, port)
    assert parse_address(str(parse_address(text))) == parse_address(text)


@pytest.mark.parametrize(
    "text",
    ["", "2000", "localhost", "localhost:", "::1:2000", "[::1]", "[::1]:x", "h:65536", "h:-1", "h:٣", "a b:1", "[x]:1",
     "h:1\n", "h\0:1"],
)  # fmt: skip
def test_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence is made where the place is known
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("10/2", RateLimit(10, 2.0)), ("1/0.25", RateLimit(1, 0.25)), ("5/1000", RateLimit(5, 1e3))]
)
def test_a_rate_limit_is_a_burst_and_a_rate(text: str, expected: RateLimit) -> None:
    assert parse_rate_limit(text) == expected


def test_without_a_rate_limit_the_rate_is_0() -> None:
    assert parse_rate_limit("off").rate == 0


@pytest.mark.parametrize(
    "text", ["", "10", "10/", "/2", "0/2", "10/0", "10/0.0", "-1/2", "1.5/2", "10/2/3", "a/b", "1/inf"]
)
def test_text_that_is_no_rate_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_rate_limit(text)
