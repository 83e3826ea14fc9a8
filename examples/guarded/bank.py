"""The bank. It stands in for a service elsewhere."""

from __future__ import annotations

from router import AppError


class BankDown(Exception):
    """The bank does not answer."""


class AccountBlocked(AppError):
    """An account that gets no money. Clients tell it by its code."""

    code = "P0007"
    message = "the account is blocked"
    status = 409


class Bank:
    """Keep the transfers that were made. While it is `down` it makes none."""

    def __init__(self) -> None:
        self.transfers: list[tuple[str, int, str]] = []
        self.down = False
        self.asked = 0
        self.blocked = {"XX0000"}

    def check(self, account: str) -> None:
        """Refuse an account that gets no money.

        Raises:
            AccountBlocked: it is one.
        """
        if account in self.blocked:
            raise AccountBlocked

    def transfer(self, account: str, cents: int, *, reference: str) -> None:
        """Pay so many cents to an account."""
        self.asked += 1
        if self.down:
            raise BankDown("the bank does not answer")
        self.transfers.append((account, cents, reference))


bank = Bank()
