import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from core.settings import Settings
from messaging.choosing import Health, Pace, after, choose
from messaging.lanes import expiry, lane_of, loud_again, put_off
from messaging.providers import setups
from messaging.providers.config import gateways
from messaging.sending import faults, manners_of


@dataclass(frozen=True)
class Way:
    name: str
    priority: int
    load: float = 0.0


FIRST, SECOND = Way("first", 1), Way("second", 2)


def test_the_first_has_them_while_it_is_well_and_again_once_it_is() -> None:
    health = Health()
    assert choose([(FIRST, health.now(0)), (SECOND, 1.0)]) is FIRST
    for _ in range(3):
        health = after(health, False, now=0)
    assert choose([(FIRST, health.now(0)), (SECOND, 1.0)]) is SECOND
    assert choose([(FIRST, health.now(300)), (SECOND, 1.0)]) is FIRST, "time heals"


def test_what_just_failed_this_text_comes_last_but_is_better_than_nothing() -> None:
    assert choose([(FIRST, 1.0), (SECOND, 1.0)], avoid="first") is SECOND
    assert choose([(FIRST, 1.0)], avoid="first") is FIRST
    assert choose([]) is None


def test_equals_share_by_room() -> None:
    assert choose([(Way("a", 1, 0.5), 1.0), (Way("b", 1, 0.1), 1.0)]).name == "b"  # type: ignore[union-attr]


def test_several_failures_in_a_row_are_a_rest_that_grows_and_one_success_ends_it() -> None:
    health, rests = Health(), []
    for _ in range(7):
        health = after(health, False, now=100)
        rests.append(health.rests_until - 100 if health.resting(100) else 0)
    assert rests[:3] == [0, 0, 0] and rests[3] > 0 and rests == sorted(rests) and rests[-1] <= 30
    assert health.probing(200) and not after(health, True, now=200).probing(200)


def test_a_shared_pace_goes_by_slots_and_an_old_one_is_lost() -> None:
    pace = Pace(10.0, shared=True)
    assert pace.wait(now=0.0) > 0 and pace.hungry, "nothing was lent yet"
    pace.lend(0.0, 3)
    assert not pace.hungry and pace.wait(now=0.0) == 0
    pace.went()
    assert pace.wait(now=0.0) == pytest.approx(0.1)
    assert pace.wait(now=0.16) == 0 and pace.hungry, "the last one is near: more are asked for"
    assert pace.wait(now=5.0) > 0, "slots that nobody used in their time are gone"


def test_a_pace_is_kept_and_slows_and_recovers() -> None:
    pace = Pace(10.0, now=0.0)
    went, now = 0, 0.0
    while now < 2.0:
        if pace.wait(now=now) == 0:
            pace.went()
            went += 1
        now += 0.01
    assert 18 <= went <= 22
    pace.slow(10, now=now)
    assert pace.now_rate == 5.0
    pace.slow(10, now=now + 0.1)
    assert pace.now_rate == 5.0, "answers to what was already under way are one complaint"
    pace.wait(now=now + 60)
    assert pace.now_rate == 10.0
    assert Pace(None).wait(now=0) == 0.0


NOON = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)  # 12:00 in Riyadh


@pytest.mark.parametrize(
    ("hour_utc", "hours", "ends_utc"),
    [(9, (21, 8), None), (20, (21, 8), 5), (2, (21, 8), 5), (5, (21, 8), None), (10, (12, 15), 12), (9, (0, 0), None)],
)
def test_quiet_hours_in_local_time(hour_utc: int, hours: tuple[int, int], ends_utc: int | None) -> None:
    now = NOON.replace(hour=hour_utc)
    end = loud_again("campaign", {"campaign": hours}, zone="Asia/Riyadh", now=now)
    assert (end and end.astimezone(UTC).hour) == ends_utc
    assert end is None or timedelta() < end - now < timedelta(days=1)
    assert loud_again("otp", {"campaign": hours}, zone="Asia/Riyadh", now=now) is None


def test_lanes_and_lives_go_by_class() -> None:
    assert lane_of("otp") < lane_of("reply") < lane_of("service") < lane_of("campaign")
    assert lane_of("whatever is new") == lane_of("service")
    assert expiry("otp", NOON) < expiry("reminder", NOON) < expiry("service", NOON)
    assert put_off(1, "otp") < put_off(1, "service") < put_off(3, "service") <= put_off(99, "service")
    assert put_off(99, "service") == timedelta(minutes=10)


@pytest.mark.parametrize(
    "providers",
    [
        '[{"name": "x", "kind": "pigeon"}]',
        '[{"name": "a b", "kind": "null"}]',
        '[{"name": "x", "kind": "null"}, {"name": "x", "kind": "null"}]',
        '[{"name": "x", "kind": "null", "window": 0}]',
        '[{"name": "x", "kind": "null", "rate": "many"}]',
        '[{"name": "x", "kind": "null", "addresses": ["here"]}]',
        '[{"name": "x", "kind": "smpp"}]',
        '[{"name": "x", "kind": "smpp", "host": "h", "system_id": "longer than fifteen letters"}]',
        '[{"name": "x", "kind": "https", "url": "https://h", "request": {"a": "{nothing}"}}]',
        '{"name": "x"}',
        "no JSON",
    ],
)
def test_gateways_that_are_set_up_wrongly_are_found_at_the_start_and_stop_no_other(providers: str) -> None:
    made, wrong = gateways(Settings(sms_providers=providers))
    assert len(wrong) == 1 and str(wrong[0].why) and wrong[0].name
    assert len(made) == providers.count('"x", "kind": "null"}, '), "only the first of two of a name"


def test_one_that_is_wrong_leaves_the_others_at_work() -> None:
    entries = [
        {"name": "good", "kind": "null"},
        {"name": "bad", "kind": "smpp"},
        7,
        {"name": "good", "kind": "console"},
    ]
    made, wrong = gateways(Settings(sms_providers=json.dumps(entries)))
    assert [setup.name for setup, _gateway in made] == ["good"]
    assert [one.name for one in wrong] == ["MAJLIS_SMS_PROVIDERS #3", "good #4", "bad"], "each under a name of its own"


def test_without_gateways_there_is_the_simple_one() -> None:
    (setup,) = setups(Settings(sms_provider="null"))
    assert (setup.name, setup.kind, setup.receipts) == ("null", "null", False)
    assert setups(Settings(sms_provider="pigeon")) == []
    dumb = '[{"name": "dumb", "kind": "kannel", "receipts": false}, {"name": "line", "kind": "smpp"}]'
    assert manners_of(Settings(sms_providers=dumb)).silent == {"console", "null", "dumb"}
    assert "password" not in repr(Settings(sms_providers='[{"password": "p"}]'))


def test_settings_of_all_texts_that_make_no_sense_count_as_not_set() -> None:
    assert manners_of(Settings()).quiet["campaign"] == (21, 8) and faults(Settings()) == []
    wrong = Settings(sms_quiet="[1]", sms_senders="{")
    assert manners_of(wrong).quiet["campaign"] == (21, 8), "better the usual nights than none"
    assert manners_of(wrong).senders == {} and len(faults(wrong)) == 2
