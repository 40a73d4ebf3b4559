"""What one block of one metric counted: requests and bad answers of both versions."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Block:
    """Counts between two reads within one weight step. `bad` never exceeds `total`, nothing is negative."""

    candidate_total: int
    candidate_bad: int
    stable_total: int
    stable_bad: int
    paired: bool = False
    """Whether the candidate was asked copies of stable's requests: then what fails on one more often fails on the other too."""

    def __post_init__(self) -> None:
        for side, bad, total in (
            ("candidate", self.candidate_bad, self.candidate_total),
            ("stable", self.stable_bad, self.stable_total),
        ):
            if not 0 <= bad <= total:
                raise ValueError(f"{side}: {bad} bad of {total} requests; bad must lie between 0 and the total")

    def __add__(self, other: "Block") -> "Block":
        return Block(
            candidate_total=self.candidate_total + other.candidate_total,
            candidate_bad=self.candidate_bad + other.candidate_bad,
            stable_total=self.stable_total + other.stable_total,
            stable_bad=self.stable_bad + other.stable_bad,
            paired=self.paired or other.paired,
        )

    @property
    def bad(self) -> int:
        """Bad answers of both versions."""
        return self.candidate_bad + self.stable_bad
