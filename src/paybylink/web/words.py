"""
The words of the public pages, in French and English.

No sentence names an amount, a person or an order where a preview could show it.
"""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("en", "fr")

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Payment",
        "pay": "Pay {amount}",
        "asked": "{merchant} asks you to pay",
        "asked_by_nobody": "You are asked to pay",
        "left": "Left to pay",
        "each": "Each payment",
        "chosen": "Amount",
        "chosen_any": "as you choose",
        "chosen_from": "as you choose, from {minimum}",
        "pay_chosen": "Choose and pay",
        "reference": "Reference",
        "until": "Payable until",
        "leads": "The button leads to the payment page of {host}.",
        "test": "TEST: no real money moves",
        "questions": "Questions? {contact}",
        "pending": "The payment page is being prepared",
        "pending_text": "Open this page again in a moment.",
        "processing": "Your payment is on its way",
        "processing_text": "The bank has not confirmed it yet, which may take some days. Please do not pay again.",
        "paid": "Paid",
        "paid_text": "Thank you. Nothing is left to pay.",
        "expired": "This link has expired",
        "expired_text": "It can no longer be paid. Ask for a new one.",
        "cancelled": "This link was cancelled",
        "cancelled_text": "There is nothing to pay here.",
        "replaced": "This link was replaced",
        "replaced_text": "Another link took its place. Use the newest one you were sent.",
        "unknown": "No such page",
        "unknown_text": "Check that the address is complete, just as it was sent to you.",
        "away": "Not available just now",
        "away_text": "Nothing is lost. Open this page again in a moment.",
    },
    "fr": {
        "title": "Paiement",
        "pay": "Payer {amount}",
        "asked": "{merchant} vous demande de payer",
        "asked_by_nobody": "Un paiement vous est demandé",
        "left": "Reste à payer",
        "each": "Chaque paiement",
        "chosen": "Montant",
        "chosen_any": "à votre choix",
        "chosen_from": "à votre choix, à partir de {minimum}",
        "pay_chosen": "Choisir et payer",
        "reference": "Référence",
        "until": "À payer avant le",
        "leads": "Le bouton mène à la page de paiement de {host}.",
        "test": "TEST : aucun argent réel ne circule",
        "questions": "Une question ? {contact}",
        "pending": "La page de paiement est en préparation",
        "pending_text": "Rouvrez cette page dans un instant.",
        "processing": "Votre paiement est en cours",
        "processing_text": (
            "La banque ne l’a pas encore confirmé, ce qui peut prendre quelques jours. "
            "Merci de ne pas payer une seconde fois."
        ),
        "paid": "Payé",
        "paid_text": "Merci. Il ne reste rien à payer.",
        "expired": "Ce lien a expiré",
        "expired_text": "Il ne peut plus être payé. Demandez-en un nouveau.",
        "cancelled": "Ce lien a été annulé",
        "cancelled_text": "Il n’y a rien à payer ici.",
        "replaced": "Ce lien a été remplacé",
        "replaced_text": "Un autre lien a pris sa place. Utilisez le dernier que vous avez reçu.",
        "unknown": "Page introuvable",
        "unknown_text": "Vérifiez que l’adresse est complète, telle que vous l’avez reçue.",
        "away": "Momentanément indisponible",
        "away_text": "Rien n’est perdu. Rouvrez cette page dans un instant.",
    },
}


def language_of(wanted: str | None, accepted: str, default: str) -> str:
    """
    The language of a page: the customer's, else the first that the browser accepts, else the merchant's.

    Args:
        wanted: a BCP 47 tag, or None.
        accepted: the header ``Accept-Language``.
        default: the merchant's.
    """
    ranked: list[tuple[float, str]] = []
    for each in accepted.split(",")[:20]:
        tag, _, weight = each.partition(";")
        try:
            rank = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            rank = 0.0
        if rank > 0:
            ranked.append((-rank, tag))
    ranked.sort(key=lambda pair: pair[0])
    for tag in (wanted or "", *(tag for _, tag in ranked), default):
        short = tag.strip().lower().replace("_", "-").partition("-")[0]
        if short in LANGUAGES:
            return short
    return "en"
