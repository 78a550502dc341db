"""
The hosted payment page, and the sandbox's front page.

`/pay/{id}` stands for buy.stripe.com and checkout.stripe.com at once: `id` is a payment link or a session. A GET
shows and changes nothing; a payer's POST makes a session (for a link) and pays it, by card, by a method whose
money comes later, or by a card that is declined. After that the payer goes where the merchant wanted, with
``{CHECKOUT_SESSION_ID}`` filled in, or to a page that confirms.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.pages import page
from paybylink.sandbox.paying import NotPayable, Payable, after_payment, attempt, find
from paybylink.sandbox.stripe import sessions
from paybylink.sandbox.stripe.charges import How
from paybylink.sandbox.stripe.payments import settle

_HOW: Mapping[str, How] = {"card": "card", "delayed": "delayed", "declined": "declined"}


def hosted_routes(engine: Engine) -> list[Route]:
    """The payer's pages and the front page."""

    async def front(_: Request) -> Response:
        intents = engine.find("payment_intent", limit=100)
        return page(
            "home.html",
            title="Sandbox",
            base_url=engine.base_url,
            now=engine.now(),
            links=[_row(link) for link in engine.find("payment_link", limit=100)],
            payments=intents,
            mails=engine.find("mail", limit=20),
        )

    async def show(request: Request) -> Response:
        with engine.transaction():
            sessions.expire_due(engine)
        payable = find(engine, request.path_params["id"])
        if payable is None:
            return page(
                "closed.html", status=404, title="Not found", message="There is no such payment page here."
            )
        if request.method == "POST":
            form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
            return _paid(engine, payable, request, form)
        return _shown(payable, request, {})

    async def done(request: Request) -> Response:
        session = engine.get("checkout.session", request.path_params["id"])
        if session is None or session["status"] != "complete":
            return page(
                "closed.html", status=404, title="Not found", message="There is no such payment here."
            )
        link = engine.get("payment_link", session["payment_link"] or "")
        after = (link or {}).get("after_completion", {})
        custom = (after.get("hosted_confirmation") or {}).get("custom_message")
        return page("done.html", title="Thank you", session=session, custom=custom)

    async def settled(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        intent = engine.get("payment_intent", request.path_params["id"])
        if intent is None or intent["status"] != "processing":
            return page("closed.html", status=404, title="Not found", message="No such payment is under way.")
        _ = settle(engine, intent, succeeded=form.get("outcome") == "succeeded")
        return RedirectResponse("/", 303)

    return [
        Route("/", front, name="front"),
        Route("/payments/{id}/settle", settled, methods=["POST"], name="front.settle"),
        Route("/pay/{id}", show, methods=["GET", "POST"], name="pay"),
        Route("/pay/{id}/done", done, name="pay.done"),
    ]


def _row(link: Document) -> Document:
    items = link["_line_items"]
    fixed = items[0]["price"]["custom_unit_amount"] is None
    return {**link, "total": sum(item["amount_total"] for item in items) if fixed else None, "items": items}


def _paid(engine: Engine, payable: Payable, request: Request, form: Mapping[str, str]) -> Response:
    how = _HOW.get(form.get("how", ""))
    if payable.session is None and payable.link is not None and form.get("session"):
        earlier = engine.get("checkout.session", form["session"])
        if (
            earlier is not None
            and earlier["payment_link"] == payable.link["id"]
            and earlier["status"] == "open"
        ):
            payable = Payable(payable.link, earlier)
    try:
        if how is None:
            raise NotPayable("Choose how to pay.", closed=False)
        session = attempt(
            engine,
            payable,
            how=how,
            typed=form.get("amount", ""),
            email=form.get("email") or None,
            name=form.get("name") or None,
            query=request.query_params,
        )
    except NotPayable as refused:
        if refused.closed:
            return _shown(payable, request, form)
        return _shown(payable, request, form, fault=refused.message, status=422)
    if how == "declined":
        again = Payable(payable.link, session)
        return _shown(
            again, request, form, fault="Your card was declined. No money was taken; try again.", status=402
        )
    return RedirectResponse(after_payment(engine, session), 303)


def _shown(
    payable: Payable,
    request: Request,
    form: Mapping[str, str],
    *,
    fault: str | None = None,
    status: int = 200,
) -> Response:
    closed = payable.closed
    if closed is not None:
        return page("closed.html", status=410, title="Not payable", message=closed)
    subject, query = payable.subject, request.query_params
    locked = query.get("locked_prefilled_email")
    bounds = payable.chosen_by_payer
    return page(
        "pay.html",
        status=status,
        # Browsers count the redirects after a form, and where the merchant's page leads is the merchant's affair.
        form_action="'self' http: https:",
        title="Pay",
        items=subject["_line_items"],
        currency=subject["currency"],
        total=None
        if bounds and payable.session is None
        else sum(i["amount_total"] for i in subject["_line_items"]),
        bounds=bounds if payable.session is None else None,
        delayed=sessions.delayed_method(subject["currency"]).replace("_", " ").replace("sepa", "SEPA"),
        note=(subject.get("custom_text") or {}).get("submit"),
        email=locked
        or form.get("email")
        or query.get("prefilled_email")
        or subject.get("customer_email")
        or "",
        locked=bool(locked),
        typed=form.get("amount", ""),
        name=form.get("name", ""),
        session=payable.session["id"] if payable.link and payable.session else "",
        fault=fault,
        cancel_url=subject.get("cancel_url"),
    )
