"""Paris: "Liste des prénoms", names declared in the city, of at least five children.

https://opendata.paris.fr/explore/dataset/liste_des_prenoms/
Two columns of counts: that of the record's sex, which is loaded, and that of both sexes together.
"""

from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.tables import Columns

PARSERS = [
    TextList(
        name="fr-paris",
        description="lines of Nombre prénoms déclarés;Sexe;Annee;Prenoms;Nombre total cumule par annee",
        columns=Columns(
            name=("prenoms", "prénoms"),
            count=("nombre prénoms déclarés",),
            year=("annee", "année"),
            sex=("sexe",),
            other=("nombre total cumule par annee", "nombre total cumulé par année"),
        ),
        charset="cp1252",
        rules=Rules(sexes={"F": "F", "M": "M"}),
        region="FR-75C",
    )
]
