"""docs/events.md is what the contract and the indexes say now."""

from chassis.fields import event_spec
from cli.events_doc import ROOT, TARGET, comments_of, events_out, page, titles
from network.catalogue import indexes
from saguaro.treatment_plan.v1 import events_pb2 as plan_events


def test_the_committed_page_is_current() -> None:
    assert TARGET.read_text(encoding="utf-8") == page(indexes(), ROOT / "protos"), "stale: run `make docs`"


def test_it_says_of_an_event_what_its_contract_says() -> None:
    text = page(indexes(), ROOT / "protos")
    section = text.split("### SessionClosed\n")[1].split("\n### ")[0]
    spec = event_spec(plan_events.SessionClosed.DESCRIPTOR)
    assert spec is not None
    assert "Raised once for each infusion that ended" in section
    assert f"`{spec.topic}`, key `session_id`, class clinical." in section
    assert "Sent by treatment_plan. Received by `intake.reactions.on_session_closed`" in section
    assert "`billing.reactions.on_session_closed`" in section
    assert "| `delivered_mg` | string | clinical |" in section
    assert "| `started_at` | Timestamp | clinical |" in section


def test_every_event_has_a_section() -> None:
    text = page(indexes(), ROOT / "protos")
    names = list(titles(indexes()).values())
    assert len(names) == sum(len(events_out(index)) for index in indexes())
    assert len(names) == len(set(names)) > 30
    assert [line.removeprefix("### ") for line in text.splitlines() if line.startswith("### ")] == names


def test_only_the_comment_directly_above_a_message_is_its_own() -> None:
    proto = "// Of the file.\npackage x;\n\n// One.\n// Two.\nmessage A {\n  // A field.\n  string a = 1;\n}\n// Gone.\n\nmessage B {\n}\n"
    assert comments_of(proto) == {"A": "One. Two."}
