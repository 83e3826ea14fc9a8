"""The session that a sister service sends along in a header."""

from __future__ import annotations

from typing import Any

import pytest

from router import ConfigurationError, FromRequest, Resolver, Session, SessionPolicy, Signing
from router.testing import TestClient, samples


class TestTheHeaderOfASisterService:
    def resolver(self) -> Resolver:
        resolver = Resolver(
            session=SessionPolicy(signing=Signing("s" * 32), request=FromRequest(session_header="x-junction-session"))
        )

        @resolver.get("/")
        def who(session: Session) -> dict[str, Any]:
            return {"tenant": session.tenant, "user": session.user}

        return resolver

    def test_a_signed_session_is_taken(self) -> None:
        resolver = self.resolver()
        wire = resolver.session_policy.issue(Session("acme", "ann"), "header")
        answer = TestClient(resolver).get("/", headers={"X-Junction-Session": wire})
        assert answer.json() == {"tenant": "acme", "user": "ann"}
        assert TestClient(resolver).get("/").json() == {"tenant": None, "user": None}

    @pytest.mark.parametrize("forged", ['{"tenant": "acme"}', "nonsense", "{}"])
    def test_any_other_is_a_401(self, forged: str) -> None:
        assert TestClient(self.resolver()).get("/", headers={"x-junction-session": forged}).status == 401

    def test_it_is_never_believed_unsigned(self) -> None:
        with pytest.raises(ConfigurationError, match=r"needs SessionPolicy\(signing"):
            SessionPolicy(request=FromRequest(session_header="x-junction-session"))

    def test_a_required_field_must_be_in_it(self) -> None:
        policy = SessionPolicy(
            signing=Signing("s" * 32), request=FromRequest(session_header="x-s"), require=("tenant",)
        )
        resolver = Resolver(session=policy)
        resolver.get("/")(lambda: "ok")
        client = TestClient(resolver)
        answer = client.get("/", headers={"x-s": policy.issue(Session(user="ann"), "header")})
        detail = "the tenant is missing in the session of the calling service"
        assert (answer.status, answer.json()["detail"]) == (400, detail)
        assert client.get("/", headers={"x-s": policy.issue(Session("acme"), "header")}).status == 200

    def test_a_tenant_that_it_lacks_is_that_of_lambdas_isolation(self) -> None:
        policy = SessionPolicy(signing=Signing("s" * 32), request=FromRequest(session_header="x-s"), lambda_tenant=True)
        resolver = Resolver(session=policy)

        @resolver.get("/")
        def who(session: Session) -> list[str | None]:
            return [session.tenant, session.user]

        class Context:
            tenant_id = "acme"

        def ask(session: Session) -> Any:
            return resolver.resolve(samples.http(headers={"x-s": policy.issue(session, "header")}), Context())

        assert ask(Session(user="ann"))["body"] == '["acme","ann"]'
        assert ask(Session("", "ann"))["body"] == '["acme","ann"]'
        assert ask(Session("globex", "ann"))["statusCode"] == 403
