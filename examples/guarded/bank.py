"""The bank. It stands in for a service elsewhere."""

from __future__ import annotations


class BankDown(Exception):
    """The bank does not answer."""


class Bank:
    """Keep the transfers that were made. While it is `down` it makes none."""

    def __init__(self) -> None:
        self.transfers: list[tuple[str, int, str]] = []
        self.down = False

    def transfer(self, account: str, cents: int, *, reference: str) -> None:
        """Pay so many cents to an account."""
        if self.down:
            raise BankDown("the bank does not answer")
        self.transfers.append((account, cents, reference))


bank = Bank()
