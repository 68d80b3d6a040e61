"""The protocol: the paper's numbers, checked, with a digest."""

import pytest

from kappakit.protocol import PAPER, PROTOCOLS, Protocol, ProtocolError, field_facts


def test_the_paper_s_numbers_are_the_defaults() -> None:
    protocol = PROTOCOLS["paper"]
    assert (protocol.screen.max_atoms, protocol.screen.min_operations) == (12, 4)
    assert (protocol.screen.symprec, protocol.screen.angle_tolerance) == (0.1, 1.0)
    assert (protocol.embed.r_cut, protocol.embed.sigma, protocol.embed.n_max, protocol.embed.l_max) == (5.0, 0.5, 6, 6)
    assert (protocol.sample.count, protocol.neighbours.k, protocol.conductivity.ultrahigh) == (50, 10, 800.0)
    assert field_facts(protocol.screen, "max_atoms").origin == PAPER


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_a_snapshot_gives_the_same_protocol_and_digest(name: str) -> None:
    protocol = PROTOCOLS[name]
    again = Protocol.from_dict(protocol.as_dict())
    assert again == protocol
    assert again.digest == protocol.digest


def test_every_problem_is_named_at_once_with_its_path() -> None:
    bad = {"relax": {"max_steps": -1, "colour": "red"}, "screen": {"symprec": float("nan")}, "source": "thin air"}
    with pytest.raises(ProtocolError) as error:
        Protocol.from_dict(bad)
    assert error.value.problems.keys() == {"relax.max_steps", "relax.colour", "screen.symprec", "source"}
    assert "at least 1" in error.value.problems["relax.max_steps"]


@pytest.mark.parametrize("value", ["12", True, None, [1], 1e99, 12.5])
def test_a_count_takes_whole_numbers_in_its_range_only(value: object) -> None:
    with pytest.raises(ProtocolError):
        Protocol.from_dict({"screen": {"max_atoms": value}})


def test_a_whole_number_written_as_a_float_is_taken() -> None:
    assert Protocol.from_dict({"screen": {"max_atoms": 12.0}}).screen.max_atoms == 12


@pytest.mark.parametrize("source", ["search", "cdvae"])
def test_who_generates_is_no_source(source: str) -> None:
    with pytest.raises(ProtocolError, match="must be one of import, generate, both"):
        Protocol.from_dict({"source": source})


def test_ten_million_crystals_are_refused_in_words() -> None:
    with pytest.raises(ProtocolError, match=r"generate\.count: must be at most 1,000,000 crystals"):
        Protocol.from_dict({"generate": {"count": 10_000_000}})


@pytest.mark.parametrize(("name", "learned"), [("paper", True), ("demo", True), ("smoke", False)])
def test_a_protocol_knows_whether_its_crystals_come_from_a_trained_generator(name: str, learned: bool) -> None:
    assert PROTOCOLS[name].learned is learned
    assert not Protocol.from_dict({**PROTOCOLS[name].as_dict(), "source": "import"}).learned
