"""
French words: the labels of the general chart (Plan comptable général) that payment links can meet.

A FEC must name every account and journal it uses, so the labels are data and may be changed in `Accounts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Journal → its label.
JOURNALS: Final[Mapping[str, str]] = {
    "PL": "Encaissements par lien de paiement",
    "BQ": "Banque",
    "OD": "Opérations diverses",
    "VE": "Ventes",
}

#: Beginning of an account → its label in the list of accounts of the chart.
LABELS: Final[Mapping[str, str]] = {
    "411": "Clients",
    "416": "Clients douteux ou litigieux",
    "4191": "Clients - Avances et acomptes reçus sur commandes",
    "4452": "TVA due intracommunautaire",
    "44566": "TVA déductible sur autres biens et services",
    "44571": "TVA collectée",
    "4458": "Taxes sur le chiffre d'affaires à régulariser ou en attente",
    "467": "Autres comptes débiteurs ou créditeurs",
    "471": "Compte d'attente",
    "511": "Valeurs à l'encaissement",
    "512": "Banques",
    "517": "Autres organismes financiers",
    "58": "Virements internes",
    "627": "Services bancaires et assimilés",
    "6278": "Autres frais et commissions sur prestations de services",
    "654": "Pertes sur créances irrécouvrables",
    "656": "Pertes de change sur créances et dettes commerciales",
    "658": "Charges diverses de gestion courante",
    "666": "Pertes de change financières",
    "706": "Prestations de services",
    "707": "Ventes de marchandises",
    "756": "Gains de change sur créances et dettes commerciales",
    "758": "Produits divers de gestion courante",
    "766": "Gains de change financiers",
}

#: What begins the label of an entry.
WORDS: Final[Mapping[str, str]] = {
    "payment": "Paiement",
    "refund": "Remboursement",
    "refund_failed": "Remboursement échoué",
    "rounding": "Écart de règlement",
}
