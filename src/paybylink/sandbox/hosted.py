"""
The hosted payment page, and the sandbox's front page.

`/pay/{id}` stands for the payment pages of all vendors; each is asked whether `id` is its own. A GET shows and
changes nothing; a payer's POST pays, by a method that pays at once, by one whose money comes later, or by a card
that is declined. After that the payer goes where the merchant wanted, or to a page that confirms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from paybylink.sandbox.engine import Engine
from paybylink.sandbox.pages import page
from paybylink.sandbox.vendor import Act, How, NotPayable, Payable, Vendor

_HOW: Mapping[str, How] = {"card": "card", "delayed": "delayed", "declined": "declined"}
_DECLINED = "Your payment was declined. No money was taken; try again."


def hosted_routes(engine: Engine, vendors: Iterable[Vendor]) -> list[Route]:
    """The payer's pages and the front page."""
    everybody = list(vendors)

    def owner(identifier: str, act: Act) -> tuple[Vendor, Payable] | None:
        for vendor in everybody:
            found = vendor.find(engine, identifier, act)
            if found is not None:
                return vendor, found
        return None

    async def front(_: Request) -> Response:
        return page(
            "home.html",
            title="Sandbox",
            base_url=engine.base_url,
            now=engine.now(),
            vendors=[(vendor, vendor.rows(engine)) for vendor in everybody],
            mails=engine.find("mail", limit=20),
        )

    async def show(request: Request) -> Response:
        with engine.transaction():
            for vendor in everybody:
                vendor.expire_due(engine)
        identifier = request.path_params["id"]
        form: dict[str, str] = {}
        if request.method == "POST":
            form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        act = _act(request, form)
        found = owner(identifier, act)
        if found is None:
            return page(
                "closed.html", status=404, title="Not found", message="There is no such payment page here."
            )
        vendor, payable = found
        if request.method != "POST":
            return _shown(payable, act)
        try:
            if form.get("how") not in _HOW:
                raise NotPayable("Choose how to pay.", closed=False)
            attempted = vendor.pay(engine, identifier, act)
        except NotPayable as refused:
            if refused.closed:
                return page("closed.html", status=410, title="Not payable", message=refused.message)
            return _shown(payable, act, fault=refused.message, status=422)
        if attempted.next_url is not None:
            return RedirectResponse(attempted.next_url, 303)
        again = _act(request, {**form, "session": attempted.session})
        return _shown(vendor.find(engine, identifier, again) or payable, again, fault=_DECLINED, status=402)

    async def done(request: Request) -> Response:
        for vendor in everybody:
            confirmed = vendor.confirmation(engine, request.path_params["id"])
            if confirmed is not None:
                return page("done.html", title="Thank you", confirmed=confirmed)
        return page("closed.html", status=404, title="Not found", message="There is no such payment here.")

    async def settled(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        succeeded = form.get("outcome") == "succeeded"
        for vendor in everybody:
            if vendor.settle(engine, request.path_params["id"], succeeded=succeeded):
                return RedirectResponse("/", 303)
        return page("closed.html", status=404, title="Not found", message="No such payment is under way.")

    return [
        Route("/", front, name="front"),
        Route("/payments/{id}/settle", settled, methods=["POST"], name="front.settle"),
        Route("/pay/{id}", show, methods=["GET", "POST"], name="pay"),
        Route("/pay/{id}/done", done, name="pay.done"),
    ]


def _act(request: Request, form: Mapping[str, str]) -> Act:
    return Act(
        how=_HOW.get(form.get("how", ""), "card"),
        method=form.get("method", ""),
        typed=form.get("amount", ""),
        email=form.get("email") or None,
        name=form.get("name") or None,
        query=request.query_params,
        session=form.get("session", ""),
    )


def _shown(payable: Payable, act: Act, *, fault: str | None = None, status: int = 200) -> Response:
    if payable.closed is not None:
        return page("closed.html", status=410, title="Not payable", message=payable.closed)
    return page(
        "pay.html",
        status=status,
        # Browsers count the redirects after a form, and where the merchant's page leads is the merchant's affair.
        form_action="'self' http: https:",
        title="Pay",
        payable=payable,
        chosen=act.method,
        name=act.name or "",
        fault=fault,
    )
