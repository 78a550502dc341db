"""The door of the sandbox's Mollie half: credentials, modes, idempotency, faults of form, faults on demand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from paybylink.sandbox import Sandbox

from .mollie_given import PROFILE, address, calling, euros, fault_of, link_body, made, reading


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A caller with a key."""
    with calling(sandbox) as caller:
        yield caller


@pytest.fixture
def organisation(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A caller with an organisation's token."""
    with calling(sandbox, "access_sandbox") as caller:
        yield caller


# credentials


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param("", id="none"),
        pytest.param("Bearer live_sandbox", id="live"),
        pytest.param("Bearer test_wrong", id="wrong"),
        pytest.param("Bearer sk_test_x", id="another-vendors"),
        pytest.param("Basic dGVzdF94Og==", id="basic"),
    ],
)
def test_only_test_credentials_open(sandbox: Sandbox, authorization: str) -> None:
    """Anything else is a 401 that does not repeat the secret."""
    reply = httpx.get(f"{sandbox.mollie_url}/v2/payment-links", headers={"Authorization": authorization})

    assert fault_of(reply) == (401, None)
    assert "sandbox" not in authorization or authorization.split()[1] not in reply.text


def test_each_endpoint_opens_to_its_own_credentials(api: httpx.Client, organisation: httpx.Client) -> None:
    """Books to tokens, the profile of a key to keys."""
    assert fault_of(api.get("balances")) == (403, None)
    assert fault_of(api.get("settlements")) == (403, None)
    assert fault_of(organisation.get("profiles/me", params={"testmode": "true"})) == (403, None)
    assert api.get("profiles/me").json()["id"] == PROFILE
    assert organisation.get("organizations/me").json()["resource"] == "organization"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"testmode": True}, "profileId", id="no-profile"),
        pytest.param({"profileId": PROFILE}, "testmode", id="no-mode"),
        pytest.param({"profileId": PROFILE, "testmode": False}, "testmode", id="live-mode"),
        pytest.param({"profileId": "pfl_other", "testmode": True}, "profileId", id="another-profile"),
    ],
)
def test_a_token_says_whose_and_which_mode(
    organisation: httpx.Client, body: dict[str, Any], field: str
) -> None:
    """Both in the body of a POST."""
    assert fault_of(organisation.post("payment-links", json=link_body(**body))) == (422, field)


def test_a_token_says_its_mode_where_it_belongs(organisation: httpx.Client) -> None:
    """In the query of a GET, in the body of a PATCH or DELETE, and not the other way round."""
    link = made(organisation, profileId=PROFILE, testmode=True)
    path = f"payment-links/{link['id']}"

    assert organisation.get(path, params={"testmode": "true"}).status_code == 200
    assert fault_of(organisation.get(path)) == (422, "testmode")
    in_query = organisation.patch(path, params={"testmode": "true"}, json={"archived": True})
    assert fault_of(in_query) == (400, "testmode")
    assert organisation.patch(path, json={"archived": True, "testmode": True}).status_code == 200
    assert fault_of(organisation.patch(path, json={"testmode": True})) == (422, None)
    assert organisation.request("DELETE", path, json={"testmode": True}).status_code == 204


# faults of form


def test_a_body_is_json(api: httpx.Client) -> None:
    """A form is a 415, broken JSON and a list are a 400."""
    assert fault_of(api.post("payment-links", data={"description": "x"})) == (415, None)
    for content in (b"{", b"[]", b'{"description": NaN}', b"\xff"):
        reply = api.post("payment-links", content=content, headers={"Content-Type": "application/json"})
        assert fault_of(reply) == (400, None)


def test_what_is_not_there_is_said(api: httpx.Client) -> None:
    """An unknown path, a known one by another method, an unknown object."""
    assert fault_of(api.get("orders")) == (404, None)
    assert fault_of(api.request("PUT", "payment-links")) == (405, None)
    assert fault_of(api.get("payments/tr_none")) == (404, None)
    assert fault_of(api.get("payments/tr_none/refunds")) == (404, None)


# idempotency


def keyed(api: httpx.Client, key: str, **changes: Any) -> httpx.Response:
    """A link asked for under a key."""
    return api.post("payment-links", json=link_body(**changes), headers={"Idempotency-Key": key})


def test_the_same_request_gets_the_same_answer(api: httpx.Client) -> None:
    """Nothing is made a second time, and the replay is marked."""
    first, again = keyed(api, "k-1"), keyed(api, "k-1")

    assert again.json() == first.json()
    assert (first.status_code, again.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert api.get("payment-links").json()["count"] == 1


def test_another_body_under_a_known_key_is_a_400(api: httpx.Client) -> None:
    """The first link stays the only one."""
    _ = keyed(api, "k-1")

    assert fault_of(keyed(api, "k-1", description="Other")) == (400, None)
    assert api.get("payment-links").json()["count"] == 1


def test_a_key_lives_an_hour(sandbox: Sandbox, api: httpx.Client) -> None:
    """After it, the same request makes a second link."""
    first = keyed(api, "k-1").json()["id"]
    _ = sandbox.control.move_clock(timedelta(minutes=59))
    within = keyed(api, "k-1").json()["id"]
    _ = sandbox.control.move_clock(timedelta(minutes=1, seconds=5))

    after = keyed(api, "k-1").json()["id"]

    assert within == first
    assert after != first


def test_a_refusal_leaves_the_key_free(api: httpx.Client) -> None:
    """The corrected request runs."""
    assert keyed(api, "k-1", amount=euros("1")).status_code == 422

    assert keyed(api, "k-1").status_code == 201


def test_keys_are_of_one_credential_and_count_on_post_only(sandbox: Sandbox, api: httpx.Client) -> None:
    """Another API key does not see them; a PATCH runs each time."""
    first = keyed(api, "k-1").json()
    with calling(sandbox, "test_other") as other:
        assert keyed(other, "k-1").json()["id"] != first["id"]
    path, key = f"payment-links/{first['id']}", {"Idempotency-Key": "k-2"}

    _ = api.patch(path, json={"description": "One"}, headers=key)
    changed = api.patch(path, json={"description": "Two"}, headers=key)

    assert changed.json()["description"] == "Two"
    assert "Idempotent-Replayed" not in changed.headers


def test_a_refund_repeated_under_its_key_is_made_once(sandbox: Sandbox, api: httpx.Client) -> None:
    """The replay comes before the check for equal refunds."""
    paid = sandbox.control.pay(address(made(api))).payment
    asked: dict[str, Any] = {"json": {"amount": euros("5.00")}, "headers": {"Idempotency-Key": "k-1"}}

    replies = [api.post(f"payments/{paid}/refunds", **asked) for _ in range(2)]

    assert [reply.status_code for reply in replies] == [201, 201]
    assert replies[0].json()["id"] == replies[1].json()["id"]


# faults on demand


@pytest.mark.parametrize("status", [401, 409, 429, 500, 503])
def test_a_false_reply_has_mollies_shape(sandbox: Sandbox, api: httpx.Client, status: int) -> None:
    """Found by the route's name, it says its status in the body too, and nothing was done."""
    _ = sandbox.control.fault("status", "mollie.payment_links.create", status=status)

    reply = api.post("payment-links", json=link_body())

    assert fault_of(reply) == (status, None)
    assert reply.headers["Content-Type"] == "application/hal+json"
    assert api.get("payment-links").json()["count"] == 0


def test_a_lost_answer_is_given_again(sandbox: Sandbox, api: httpx.Client) -> None:
    """The link was made although the connection broke; the key finds it."""
    _ = sandbox.control.fault("reset_after", "/mollie/v2/payment-links")
    with pytest.raises(httpx.HTTPError):
        _ = keyed(api, "k-1")

    again = keyed(api, "k-1")

    assert again.headers["Idempotent-Replayed"] == "true"
    assert api.get("payment-links").json()["count"] == 1


def test_a_stored_failure_is_repeated(sandbox: Sandbox, api: httpx.Client) -> None:
    """With `stored` the false answer is what the key remembers, although the work was done."""
    _ = sandbox.control.fault("status", "mollie.payment_links.create", status=500, stored=True)

    replies = [keyed(api, "k-1"), keyed(api, "k-1")]

    assert [reply.status_code for reply in replies] == [500, 500]
    assert api.get("payment-links").json()["count"] == 1


# a restart


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    """Links, payments, keys and the books; addresses lead to the new port."""
    path = tmp_path / "sandbox.db"
    with Sandbox(path) as first, calling(first) as api:
        link = keyed(api, "k-1").json()
        paid = first.control.pay(address(link)).payment
        _ = api.post(f"payments/{paid}/refunds", json={"amount": euros("5.00")})
        before = first.control.truth()

    with Sandbox(path) as second, calling(second) as api:
        again = keyed(api, "k-1")
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.json()["id"] == link["id"]
        assert address(again.json()).startswith(second.url)
        assert second.control.truth() == before
        assert reading(second, "balances/primary")["availableAmount"] == euros("48.75")
