"""France, INSEE: "Fichier des prénoms", all years since 1900, as an archive or unpacked.

https://www.insee.fr/fr/statistiques/7633685
Names that are too rare in a year are one aggregate of it (_PRENOMS_RARES), and years in which a name is too rare one
aggregate of it (XXXX): they are no names of a year.
"""

from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.tables import Columns

PARSERS = [
    TextList(
        name="fr-insee",
        description="lines of sexe;preusuel;annais;nombre (nat2020.csv), or the archive with them",
        columns=Columns(
            name=("preusuel", "prenom"), count=("nombre", "valeur"), year=("annais", "periode"), sex=("sexe",)
        ),
        delimiters=";",
        charset="cp1252",
        rules=Rules(
            sexes={"1": "M", "2": "F"},
            no_names={"_prenoms_rares": "aggregates of rare names (_PRENOMS_RARES)"},
            no_years={"XXXX": "records without a year (XXXX)"},
        ),
    )
]
