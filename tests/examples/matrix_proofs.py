"""
Which tests prove each cell of the matrix of providers.

A cell is proved by naming tests that would fail if it were wrong, short:

    links::test_x     of `tests/providers/test_<provider>_links.py`
    suite::test_x     of the conformance suite, as `tests/providers/test_<provider>_conformance.py` runs it
    journey::test_x   of `tests/workflows/test_three_providers.py`, at that provider

The support stands beside them, so that a cell that changes asks for its proof anew. `test_matrix_is_proved` reads it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from paybylink.providers.base import Feature, Support


class Proof(NamedTuple):
    """
    What proves one cell.

    Attributes:
        support: what the cell says.
        tests: short names of tests; see above.
    """

    support: Support
    tests: tuple[str, ...]


def native(*tests: str) -> Proof:
    """Tests that the provider does it."""
    return Proof(Support.NATIVE, tests)


def emulated(*tests: str) -> Proof:
    """Tests that we do it, with the same meaning."""
    return Proof(Support.EMULATED, tests)


def unsupported(*tests: str) -> Proof:
    """Tests that asking for it is refused."""
    return Proof(Support.UNSUPPORTED, tests)


#: Of each vendor, how an order's wish that cannot be had is refused, and a verb.
_NO_WISH: Final = "suite::test_refuses_orders_that_ask_for_what_it_cannot_do"
_NO_VERB: Final = "suite::test_refuses_what_it_cannot_do_before_anything_is_sent"
_STRIPE_CANNOT: Final = "checkout::test_what_stripe_cannot_do_is_said_before_anything_is_sent"
_ADYEN_CANNOT: Final = "settings::test_a_verb_that_adyen_lacks_says_so_and_sends_nothing"
_MOLLIE_CANNOT: Final = "orders::test_what_mollie_cannot_do_is_refused_before_anything_is_sent"
_MOLLIE_LACKS: Final = "payments::test_what_mollies_links_lack_is_refused_before_anything_is_sent"
_ADYEN_TOLD: Final = "orders::test_the_page_is_told_what_the_order_says"

#: What all of them go through.
_PAID: Final = "journey::test_a_link_is_paid_and_booked_once"
_MANY: Final = "journey::test_many_pay_a_reusable_link"
_MAXIMUM: Final = "journey::test_a_maximum_of_payments_closes_the_link_at_the_provider"
_TYPED: Final = "journey::test_payer_types_the_amount"
_ENDS: Final = "journey::test_a_link_ends_in_time"
_CANCELLED: Final = "journey::test_a_cancelled_link_cannot_be_paid"
_LOST: Final = "journey::test_after_the_keys_life_the_provider_is_asked_or_waited_for"
_RESERVED: Final = "journey::test_reserved_money_is_taken_or_given_up"
_CONTESTED: Final = "journey::test_a_contested_payment_is_told_with_its_end"
_FAILED: Final = "journey::test_a_delayed_payment_that_fails_leaves_a_link_that_can_be_paid"
_IN_PARTS: Final = "journey::test_money_goes_back_in_parts_and_once_for_each_reference"
_CLOSED: Final = "suite::test_closes_a_link_for_good"
_SETTLED: Final = "suite::test_settles_to_the_cent"

#: Feature → the proofs of Stripe, Adyen and Mollie.
PROOFS: Final[dict[Feature, dict[str, Proof]]] = {
    Feature.SINGLE_USE: {
        "stripe": native("links::test_a_single_use_link_is_a_payment_link_that_takes_one_payment", _PAID),
        "adyen": native("links::test_a_single_use_link_is_one_post_that_names_ours", _PAID),
        "mollie": native("links::test_a_single_use_link_is_a_payment_link_that_is_not_reusable", _PAID),
    },
    Feature.REUSABLE: {
        "stripe": native(_MANY),
        "adyen": native(_MANY, "links::test_a_link_ends_as_asked_and_after_70_days_at_the_latest"),
        "mollie": native(_MANY, "links::test_a_reusable_link_says_so"),
    },
    Feature.MAX_PAYMENTS: {
        "stripe": native(_MAXIMUM, "links::test_a_reusable_link_has_no_limit_or_the_one_asked_for"),
        "adyen": emulated(_MAXIMUM),
        "mollie": emulated(_MAXIMUM),
    },
    Feature.PAYER_CHOOSES: {
        "stripe": native(_TYPED, "steps::test_an_amount_that_the_payer_chooses_needs_a_price_first"),
        "adyen": unsupported(
            _TYPED, "links::test_a_kind_that_adyen_lacks_is_refused_before_anything_is_written"
        ),
        "mollie": native(_TYPED, "links::test_where_the_payer_chooses_only_the_least_amount_is_sent"),
    },
    Feature.INVOICE_BOUND: {
        "stripe": emulated(
            "links::test_an_invoice_bound_link_carries_the_invoices_number_and_takes_one_payment",
            "checkout::test_an_invoices_number_stands_where_the_payer_reads",
        ),
        "adyen": emulated("links::test_an_invoices_number_is_visible_and_in_the_reports"),
        "mollie": emulated("links::test_an_invoice_bound_link_shows_the_invoices_number_first"),
    },
    Feature.HOSTED_INVOICE: {
        "stripe": native(
            "invoices::test_an_invoice_is_made_in_steps_and_paid_only_after_the_last",
            "invoices::test_an_invoice_needs_a_name_and_an_email",
            "invoices::test_stripe_never_sends_it_by_email",
            "invoices::test_an_invoice_is_read_anew_with_its_address",
        ),
        "adyen": unsupported(
            "links::test_a_kind_that_adyen_lacks_is_refused_before_anything_is_written", _NO_WISH
        ),
        "mollie": native(
            "sandbox::test_a_hosted_invoice_is_issued_found_paid_and_told",
            "invoices::test_a_hosted_invoice_is_a_sales_invoice_that_is_issued_and_not_sent",
            "invoices::test_what_a_legal_invoice_lacks_is_named_at_once",
            "invoices::test_the_terms_are_those_of_mollie",
            "invoices::test_mollie_never_ends_an_invoice",
        ),
    },
    Feature.EXPIRY: {
        "stripe": emulated(
            _ENDS,
            "sessions::test_a_link_that_ends_today_is_a_session_that_ends_by_itself",
            "sessions::test_any_other_link_stays_a_payment_link",
        ),
        "adyen": native(
            _ENDS,
            "journey::test_a_link_that_lives_longer_than_its_providers_links",
            "journey::test_without_a_public_url_a_link_that_long_is_refused",
        ),
        "mollie": native(
            _ENDS, "links::test_mollie_ends_the_link_itself", "sandbox::test_a_link_ends_when_it_was_asked_to"
        ),
    },
    Feature.CANCEL: {
        "stripe": native(_CANCELLED, _CLOSED),
        "adyen": native(_CANCELLED, _CLOSED),
        "mollie": native(_CANCELLED, _CLOSED, "links::test_a_link_is_closed_by_archiving_it"),
    },
    Feature.REOPEN: {
        "stripe": native(
            "suite::test_opens_a_used_up_link_again",
            _FAILED,
            "sessions::test_a_session_cannot_be_opened_again",
            "invoices::test_an_invoice_cannot_be_opened_again",
        ),
        "adyen": unsupported(_ADYEN_CANNOT, _FAILED),
        "mollie": unsupported(
            _MOLLIE_LACKS, "sandbox::test_a_delayed_payment_that_fails_leaves_the_link_payable"
        ),
    },
    Feature.LINE_ITEMS: {
        "stripe": native("links::test_lines_are_sent_with_vat_and_add_up"),
        "adyen": native("orders::test_lines_travel_with_their_vat"),
        "mollie": native(
            "orders::test_lines_are_sent_with_vat_and_add_up",
            "orders::test_lines_that_do_not_add_up_are_left_out_and_the_amount_stays",
            "orders::test_where_the_payer_chooses_no_lines_are_sent",
        ),
    },
    Feature.PREFILL: {
        "stripe": native(
            "checkout::test_an_address_is_prefilled_only_when_asked",
            "checkout::test_a_session_takes_the_email_natively",
        ),
        "adyen": native(
            "orders::test_a_customer_is_handed_over_only_when_asked_for",
            "orders::test_what_adyen_would_ignore_is_left_out",
            "orders::test_prefilling_a_link_for_many_is_refused",
        ),
        "mollie": native(
            "orders::test_a_customer_is_handed_over_only_when_asked_for",
            "orders::test_of_a_customer_only_what_mollie_takes_is_handed_over",
        ),
    },
    Feature.LANGUAGE: {
        "stripe": native(
            "checkout::test_a_link_speaks_the_customers_language",
            "checkout::test_the_checkouts_language_goes_before_the_customers",
        ),
        "adyen": native("orders::test_a_language_gets_the_country_that_adyen_wants"),
        "mollie": unsupported(_MOLLIE_CANNOT, "orders::test_a_customers_language_is_left_to_the_browser"),
    },
    Feature.RETURN_URL: {
        "stripe": native(
            "links::test_the_orders_part_metadata_and_return_address_travel",
            "checkout::test_an_invoice_takes_no_manual_capture_and_has_no_way_back",
        ),
        "adyen": native("orders::test_the_return_address_is_percent_encoded"),
        "mollie": native("links::test_our_marks_travel_in_an_address"),
    },
    Feature.METADATA: {
        "stripe": native("links::test_the_orders_part_metadata_and_return_address_travel"),
        "adyen": native(
            "orders::test_metadata_are_the_hosts_own_and_all_twenty_fit",
            "orders::test_every_fault_of_an_order_is_named_at_once",
        ),
        "mollie": emulated("orders::test_metadata_stays_with_us"),
    },
    Feature.ALLOW_METHODS: {
        "stripe": native(
            "checkout::test_methods_are_named_in_stripes_words_each_once",
            "checkout::test_a_wallet_by_itself_is_refused",
        ),
        "adyen": native(_ADYEN_TOLD),
        "mollie": native(
            "orders::test_methods_are_named_in_mollies_words_and_unknown_ones_passed_through",
            "invoices::test_an_invoice_cannot_be_restricted",
        ),
    },
    Feature.BLOCK_METHODS: {
        "stripe": native(
            "checkout::test_a_session_can_leave_methods_out",
            "checkout::test_blocked_methods_are_left_out_where_the_offered_ones_are_named",
            _STRIPE_CANNOT,
        ),
        "adyen": native(_ADYEN_TOLD),
        "mollie": unsupported(_MOLLIE_CANNOT, _NO_WISH),
    },
    Feature.STATEMENT: {
        "stripe": native(
            "checkout::test_a_statement_is_a_suffix",
            "checkout::test_a_statement_that_banks_cannot_show_is_refused",
        ),
        "adyen": native(_ADYEN_TOLD, "orders::test_every_fault_of_an_order_is_named_at_once"),
        "mollie": unsupported(_MOLLIE_CANNOT, _NO_WISH),
    },
    Feature.METHODS_FOR: {
        "stripe": unsupported("checkout::test_which_methods_are_offered_is_not_known_before", _NO_VERB),
        "adyen": native(
            "sandbox::test_the_methods_on_offer_are_told",
            "settings::test_the_methods_that_would_be_offered_are_told_in_our_words",
        ),
        "mollie": native(
            "sandbox::test_the_methods_for_an_order_are_told_with_their_bounds",
            "payments::test_the_methods_for_an_order_are_those_that_take_its_amount",
        ),
    },
    Feature.FIND_LINK: {
        "stripe": emulated(
            _LOST,
            "links::test_a_lost_link_is_found_by_its_attempt",
            "links::test_too_many_links_leave_it_unknown",
        ),
        "adyen": unsupported(_LOST, "links::test_a_lost_link_stays_unknown_until_its_time_has_passed"),
        "mollie": emulated(
            _LOST,
            "links::test_a_link_is_found_by_its_mark_page_by_page",
            "links::test_a_link_without_any_mark_cannot_be_told",
            "links::test_too_many_links_leave_the_outcome_unknown",
        ),
    },
    Feature.PAYMENTS_OF_LINK: {
        "stripe": native("payments::test_the_payments_of_a_link_are_its_completed_sessions_oldest_first"),
        "adyen": unsupported(_ADYEN_CANNOT, _NO_VERB),
        "mollie": native("payments::test_the_payments_of_a_link_are_those_that_have_begun_oldest_first"),
    },
    Feature.FETCH_PAYMENT: {
        "stripe": native("suite::test_fetches_a_payment_as_it_was_listed"),
        "adyen": unsupported(_ADYEN_CANNOT, _NO_VERB),
        "mollie": native("suite::test_fetches_a_payment_as_it_was_listed"),
    },
    Feature.MANUAL_CAPTURE: {
        "stripe": native(
            _RESERVED,
            "suite::test_takes_reserved_money_when_told_to",
            "checkout::test_an_invoice_takes_no_manual_capture_and_has_no_way_back",
        ),
        "adyen": native(_RESERVED, "payments::test_a_capture_is_received_and_the_payment_still_authorised"),
        "mollie": unsupported(_RESERVED, _MOLLIE_LACKS),
    },
    Feature.DELAYED_CAPTURE: {
        "stripe": unsupported(_STRIPE_CANNOT, _NO_WISH),
        "adyen": native("orders::test_the_reference_says_when_the_money_is_taken", _ADYEN_TOLD),
        "mollie": unsupported(_MOLLIE_CANNOT, _NO_WISH),
    },
    Feature.REFUND: {
        vendor: native(_IN_PARTS, "suite::test_sends_the_whole_payment_back")
        for vendor in ("stripe", "adyen", "mollie")
    },
    Feature.PARTIAL_REFUND: {
        vendor: native(_IN_PARTS, "suite::test_sends_parts_back_one_by_one")
        for vendor in ("stripe", "adyen", "mollie")
    },
    Feature.FIND_REFUND: {
        "stripe": native("refunds::test_a_lost_refund_is_found_by_its_mark"),
        "adyen": unsupported("payments::test_a_lost_refund_is_looked_up_by_nobody"),
        "mollie": native("refunds::test_a_lost_refund_is_found_by_its_mark"),
    },
    Feature.DISPUTES: {
        "stripe": native(_CONTESTED),
        "adyen": native(_CONTESTED, "settings::test_what_is_told_by_webhook_only_is_an_empty_list"),
        "mollie": native(
            _CONTESTED, "payments::test_chargebacks_are_disputes_that_are_open_until_they_are_reversed"
        ),
    },
    Feature.SETTLEMENTS: {
        "stripe": native(_SETTLED, "settlements::test_a_fee_of_its_own_and_a_payout"),
        "adyen": emulated(
            _SETTLED,
            "settlements::test_a_poll_asks_for_one_batch_after_the_other",
            "sandbox::test_a_payout_is_read_from_its_report_and_adds_up",
            _ADYEN_CANNOT,
        ),
        "mollie": native(
            _SETTLED,
            "settlements::test_an_api_key_is_shown_no_balances",
            "sandbox::test_the_balances_movements_add_up_to_what_the_sandbox_knows",
        ),
    },
    Feature.WEBHOOKS: {
        "stripe": native(
            "webhooks::test_a_genuine_webhook_is_believed", "webhooks::test_anything_else_is_rejected"
        ),
        "adyen": native(
            "webhooks::test_a_signed_notification_is_believed",
            "webhooks::test_one_item_with_a_wrong_signature_spoils_the_whole",
        ),
        "mollie": native(
            "webhooks::test_a_genuine_event_is_believed",
            "webhooks::test_what_bears_a_signature_that_fits_no_secret_is_refused",
            "webhooks::test_a_classic_call_is_a_bell_with_or_without_secrets",
        ),
    },
}
